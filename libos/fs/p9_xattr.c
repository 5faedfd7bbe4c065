/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes of files on a volume: a fid stands for a value. Reading walks to it and reads; writing makes it, writes, and the clunk
 * says what came of it. An empty value that replaces means removal in this protocol, so that an empty value is set without that flag.
 */
#include "libos/fs/p9fs.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"

#define XATTR_CREATE  1u
#define XATTR_REPLACE 2u
#define VALUE_MAX     65536u
#define READ_BYTES    2048u /* what an answer has room for without data beside it */

/* What the walked fid stands for, all of it. */
static int read_value(struct p9_client *client, uint32_t fid, char *value, uint32_t size)
{
	uint32_t done = 0, n;
	int rc = 0;

	while (!rc && done < size) {
		struct p9_call *c = p9_begin(client, P9_TREAD);
		const uint8_t *data;

		if (!c)
			return -ENOMEM;
		p9_put32(c, fid);
		p9_put64(c, done);
		p9_put32(c, size - done < READ_BYTES ? size - done : READ_BYTES);
		rc = p9_run(c);
		n = rc ? 0 : p9_get32(c);
		data = rc ? NULL : p9_get_bytes(c, n);
		if (!rc && (!data || !n || n > size - done))
			rc = -EIO;
		if (!rc)
			memcpy(value + done, data, n);
		done += rc ? 0 : n;
		p9_end(c);
	}
	return rc;
}

static int xattr_walk(struct inode *inode, const char *name, uint32_t fid, uint64_t *size)
{
	struct p9_call *c = p9_begin(p9_client_of(inode), P9_TXATTRWALK);
	int rc;

	if (!c)
		return -ENOMEM;
	p9_put32(c, p9_of(inode)->fid);
	p9_put32(c, fid);
	p9_put_string(c, name, (uint32_t)strlen(name));
	rc = p9_run(c);
	*size = rc ? 0 : p9_get64(c);
	if (!rc && c->bad)
		rc = -EIO;
	p9_end(c);
	return rc;
}

int p9_xattr_get(struct inode *inode, const char *name, char **value, size_t *size)
{
	struct p9_client *client = p9_client_of(inode);
	uint32_t fid = p9_fid_new(client);
	uint64_t bytes;
	int rc;

	if (fid == P9_NOFID)
		return -ENOMEM;
	rc = xattr_walk(inode, name, fid, &bytes);
	if (rc < 0) {
		p9_fid_drop(client, fid);
		return rc;
	}
	*value = bytes <= VALUE_MAX ? kmalloc(bytes + 1) : NULL;
	rc = *value                 ? read_value(client, fid, *value, (uint32_t)bytes)
		: bytes > VALUE_MAX ? -EIO
				    : -ENOMEM;
	p9_clunk(client, fid);
	*size = bytes;
	if (rc < 0)
		kfree(*value);
	return rc;
}

/* ---- writing */
static int clone_fid(struct inode *inode, uint32_t fid)
{
	struct p9_call *c = p9_begin(p9_client_of(inode), P9_TWALK);
	int rc;

	if (!c)
		return -ENOMEM;
	p9_put32(c, p9_of(inode)->fid);
	p9_put32(c, fid);
	p9_put16(c, 0);
	rc = p9_run(c);
	p9_end(c);
	return rc;
}

static int create_value(
	struct p9_client *client, uint32_t fid, const char *name, uint64_t size, unsigned flags)
{
	struct p9_call *c = p9_begin(client, P9_TXATTRCREATE);
	int rc;

	if (!c)
		return -ENOMEM;
	p9_put32(c, fid);
	p9_put_string(c, name, (uint32_t)strlen(name));
	p9_put64(c, size);
	p9_put32(c, flags);
	rc = p9_run(c);
	p9_end(c);
	return rc;
}

static int write_value(struct p9_client *client, uint32_t fid, char *value, uint32_t size)
{
	for (uint32_t done = 0, n; done < size; done += n) {
		struct p9_call *c = p9_begin(client, P9_TWRITE);
		int rc;

		if (!c)
			return -ENOMEM;
		n = size - done < client->io ? size - done : client->io;
		p9_put32(c, fid);
		p9_put64(c, done);
		p9_put32(c, n);
		c->to_device = true;
		p9_add_piece(c, value + done, n);
		rc = p9_run(c);
		n = rc ? 0 : p9_get32(c);
		if (!rc && (c->bad || !n || n > size - done))
			rc = -EIO;
		p9_end(c);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The clunk sets the value: its answer counts. The number is free again in any case. */
static int clunk_value(struct p9_client *client, uint32_t fid)
{
	struct p9_call *c = p9_begin(client, P9_TCLUNK);
	int rc;

	if (!c) {
		p9_clunk(client, fid);
		return -ENOMEM;
	}
	p9_put32(c, fid);
	rc = p9_run(c);
	p9_end(c);
	p9_fid_drop(client, fid);
	return rc;
}

static int send_value(
	struct inode *inode, const char *name, char *value, size_t size, unsigned flags)
{
	struct p9_client *client = p9_client_of(inode);
	uint32_t fid = p9_fid_new(client);
	int rc, rc2;

	if (fid == P9_NOFID)
		return -ENOMEM;
	rc = clone_fid(inode, fid);
	if (rc < 0) {
		p9_fid_drop(client, fid);
		return rc;
	}
	rc = create_value(client, fid, name, size, flags);
	if (!rc)
		rc = write_value(client, fid, value, (uint32_t)size);
	rc2 = clunk_value(client, fid);
	return rc < 0 ? rc : rc2;
}

int p9_xattr_set(struct inode *inode, const char *name, char *value, size_t size, unsigned flags)
{
	char *old;
	size_t n;
	int rc;

	p9_of(inode)->told_ns = 0;
	if (!value)
		return send_value(inode, name, NULL, 0, XATTR_REPLACE);
	if (!size && flags & XATTR_REPLACE) {
		rc = p9_xattr_get(inode, name, &old, &n);
		if (rc < 0)
			return rc;
		kfree(old);
		if (flags & XATTR_CREATE)
			return -EEXIST;
		flags = 0;
	}
	return send_value(inode, name, value, size, flags);
}
