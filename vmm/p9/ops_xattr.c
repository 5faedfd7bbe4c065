/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes: user.* of regular files and folders, nothing else, so that nothing a client writes means anything to the host. Reading,
 * all is fetched at once and then read from memory; writing, all is gathered and set when the fid is clunked. How many may be under way, and how
 * large, is limited: it is the monitor's memory.
 *
 *   xattrwalk --> a new fid with the value (or the names) --read--> --clunk--> gone
 *   xattrcreate --> the fid gathers --write--> --clunk, complete: set--> gone
 */
#include "vmm/p9/server_impl.h"

#include "vmm/virtio/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PREFIX "user."

struct p9_xattr {
	unsigned *live; /* of the session */
	bool writing;
	uint32_t flags; /* of setxattr(2) */
	uint32_t size, done;
	char name[P9_NAME_MAX + 1];
	uint8_t data[];
};

void p9_xattr_free(struct p9_xattr *x)
{
	if (x)
		--*x->live;
	free(x);
}

static int xattr_new(struct p9_server *s, uint32_t size, struct p9_xattr **x)
{
	if (s->fids.xattrs >= P9_XATTRS_MAX)
		return -ENFILE;
	*x = calloc(1, sizeof(**x) + size);
	if (!*x)
		return -ENOMEM;
	(*x)->live = &s->fids.xattrs;
	s->fids.xattrs++;
	(*x)->size = size;
	return 0;
}

static bool is_ours(const char *name)
{
	return strncmp(name, PREFIX, strlen(PREFIX)) == 0 && name[strlen(PREFIX)];
}

/* Any access mode will do for these calls, and permissions are looked at by themselves. */
static int open_for(const struct p9_server *s, const struct p9_fid *f)
{
	int fd;

	if (f->type != S_IFREG && f->type != S_IFDIR)
		return -EOPNOTSUPP;
	fd = p9_host_reopen(s, f->path_fd, f->type, O_RDONLY);
	if (fd == -EACCES && f->type == S_IFREG)
		fd = p9_host_reopen(s, f->path_fd, f->type, O_WRONLY);
	return fd;
}

/* Leaves only the names that a client may know. */
static uint32_t only_ours(uint8_t *names, size_t bytes)
{
	size_t at = 0, kept = 0;

	while (at < bytes) {
		size_t len = strnlen((const char *)names + at, bytes - at) + 1;

		if (at + len > bytes)
			break;
		if (is_ours((const char *)names + at)) {
			memmove(names + kept, names + at, len);
			kept += len;
		}
		at += len;
	}
	return (uint32_t)kept;
}

static int fetch(int fd, const char *name, struct p9_xattr *x)
{
	ssize_t n = *name ? fgetxattr(fd, name, x->data, x->size)
			  : flistxattr(fd, (char *)x->data, x->size);

	if (n < 0)
		return -errno;
	x->size = *name ? (uint32_t)n : only_ours(x->data, (size_t)n);
	return 0;
}

/* A fid beside f that has x. x is taken in any case. */
static int add_fid(struct p9_server *s, const struct p9_fid *f, uint32_t id, struct p9_xattr *x)
{
	int fd = fcntl(f->path_fd, F_DUPFD_CLOEXEC, 0);
	int r = fd < 0 ? -errno : p9_fid_add(&s->fids, id, fd, f->type);

	if (r < 0)
		p9_xattr_free(x);
	else
		p9_fid_find(&s->fids, id)->xattr = x;
	return r;
}

int p9_op_xattrwalk(struct p9_call *c)
{
	char name[P9_NAME_MAX + 1];
	struct p9_xattr *x;
	struct p9_fid *f;
	uint32_t id, size;
	int fd, r = p9_take_fid(c, &f);

	if (r < 0)
		return r;
	id = p9_get32(&c->in);
	p9_get_string(&c->in, name, P9_NAME_MAX);
	if (c->in.bad)
		return -EINVAL;
	if (*name && !is_ours(name))
		return -EOPNOTSUPP;
	fd = open_for(c->s, f);
	if (fd < 0)
		return fd;
	r = xattr_new(c->s, P9_XATTR_MAX, &x);
	if (r == 0) {
		r = fetch(fd, name, x);
		size = x->size;
		if (r < 0)
			p9_xattr_free(x);
		else
			r = add_fid(c->s, f, id, x);
	}
	close(fd);
	if (r == 0)
		p9_put64(&c->out, size);
	return r;
}

int p9_op_xattrcreate(struct p9_call *c)
{
	char name[P9_NAME_MAX + 1];
	struct p9_xattr *x;
	struct p9_fid *f;
	uint32_t flags;
	uint64_t size;
	int r = p9_take_fid(c, &f);

	if (r < 0)
		return r;
	p9_get_string(&c->in, name, P9_NAME_MAX);
	size = p9_get64(&c->in);
	flags = p9_get32(&c->in);
	if (c->in.bad || f->xattr || f->io_fd >= 0 ||
		flags & ~(uint32_t)(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	if (!is_ours(name) || (f->type != S_IFREG && f->type != S_IFDIR))
		return -EOPNOTSUPP;
	if (size > P9_XATTR_MAX)
		return -E2BIG;
	r = xattr_new(c->s, (uint32_t)size, &x);
	if (r < 0)
		return r;
	x->writing = true;
	x->flags = flags;
	memcpy(x->name, name, sizeof(name));
	f->xattr = x;
	return 0;
}

int p9_xattr_read(struct p9_call *c, const struct p9_xattr *x, uint64_t offset, uint32_t count)
{
	uint32_t room = (uint32_t)(c->out.end - c->out.at);

	if (x->writing)
		return -EBADF;
	if (room < 4)
		return -EMSGSIZE;
	if (offset >= x->size)
		count = 0;
	else if (count > x->size - offset)
		count = (uint32_t)(x->size - offset);
	if (count > room - 4)
		count = room - 4;
	p9_put32(&c->out, count);
	memcpy(c->out.at, x->data + (count ? offset : 0), count);
	c->out.at += count;
	return 0;
}

int p9_xattr_write(struct p9_call *c, struct p9_xattr *x, uint64_t offset, uint32_t count)
{
	struct iovec v[P9_SEGMENTS_MAX];
	unsigned n;

	if (!x->writing)
		return -EBADF;
	if (offset != x->done || count > x->size - x->done ||
		count > c->body - (P9_WRITE_HEAD - P9_HEAD_BYTES))
		return -EINVAL;
	n = iov_cut(v, iov_skip(c->request, c->nrequest, P9_WRITE_HEAD, v), count);
	for (unsigned i = 0; i < n; i++) {
		memcpy(x->data + x->done, v[i].iov_base, v[i].iov_len);
		x->done += (uint32_t)v[i].iov_len;
	}
	p9_put32(&c->out, count);
	return 0;
}

int p9_xattr_commit(const struct p9_server *s, const struct p9_fid *f)
{
	const struct p9_xattr *x = f->xattr;
	int fd, r;

	if (!x->writing)
		return 0;
	if (x->done != x->size)
		return -EINVAL;
	fd = open_for(s, f);
	if (fd < 0)
		return fd;
	if (!x->size && x->flags == XATTR_REPLACE) /* the protocol's way to remove one */
		r = fremovexattr(fd, x->name);
	else
		r = fsetxattr(fd, x->name, x->data, x->size, (int)x->flags);
	r = r < 0 ? -errno : 0;
	close(fd);
	return r;
}
