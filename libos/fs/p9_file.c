/* SPDX-License-Identifier: Apache-2.0 */
/* Open files of a volume. Data goes through one buffer in a row of frames, which the device reads or fills at one go. */
#include "libos/fs/p9fs.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"

#define OPEN_SENT  (O_ACCMODE | O_SYNC) /* O_SYNC holds O_DSYNC */
#define DIR_BYTES  4096u                /* of names asked for at a time */
#define SIZE_MAX_9 0x7fffffffffffffffull

static struct p9_open *open_of(const struct file *f)
{
	return f->priv;
}

/* ---- open and close */
void p9_open_put(struct p9_open *o)
{
	if (--o->refs)
		return;
	p9_clunk(o->client, o->fid);
	kfree(o);
}

/* A fid for the file that is open: both calls are sent at once. */
static int send_open(struct p9_inode *pi, unsigned flags, uint32_t fid)
{
	struct p9_client *client = p9_client_of(&pi->vfs);
	struct p9_call *w = p9_begin(client, P9_TWALK), *o = w ? p9_begin(client, P9_TLOPEN) : NULL;
	int rc, rc2;

	if (!o) {
		if (w)
			p9_end(w);
		return -ENOMEM;
	}
	p9_put32(w, pi->fid);
	p9_put32(w, fid);
	p9_put16(w, 0);
	p9_put32(o, fid);
	p9_put32(o, flags);
	p9_start_behind(w);
	p9_start(o);
	rc2 = p9_finish(o);
	rc = p9_finish(w);
	p9_end(w);
	p9_end(o);
	if (!rc && rc2 < 0)
		p9_clunk(client, fid);
	else if (rc < 0)
		p9_fid_drop(client, fid);
	return rc < 0 ? rc : rc2;
}

int p9_open_new(struct p9_inode *pi, unsigned flags, struct p9_open **open)
{
	struct p9_client *client = p9_client_of(&pi->vfs);
	struct p9_open *o = kzalloc(sizeof(*o));
	uint32_t fid = o ? p9_fid_new(client) : P9_NOFID;
	int rc = fid == P9_NOFID ? -ENOMEM : send_open(pi, flags & OPEN_SENT, fid);

	if (rc < 0) {
		kfree(o);
		return rc;
	}
	*o = (struct p9_open){.client = client, .fid = fid, .refs = 1};
	*open = o;
	return 0;
}

int p9_file_open(struct inode *inode, struct file *f)
{
	struct p9_open *o;
	int rc;

	if (inode_is(inode, S_IFIFO))
		return fifo_open(inode, f);
	if (!inode_is(inode, S_IFREG) && !inode_is(inode, S_IFDIR))
		return -ENXIO;
	rc = p9_open_new(p9_of(inode), f->flags, &o);
	if (rc < 0)
		return rc;
	f->ops = inode_is(inode, S_IFDIR) ? &p9_dir_ops : &p9_file_ops;
	f->priv = o;
	p9_of(inode)->opens++;
	return 0;
}

/* Pages that a mapping has written and nobody sent off keep the inode (p9_pages.c); others go, so that the next one who opens the file sees it
 * as it is then. */
static void p9_close(struct file *f)
{
	struct p9_inode *pi = p9_of(f->inode);

	p9_open_put(open_of(f));
	if (!--pi->opens && !pi->writer)
		p9_pages_drop(pi, 0);
}

/* ---- read */
/* One message: at most n bytes at off into buf, or where buf is NULL into the call itself (up to a page), which the caller ends. */
static long read_once(struct file *f, uint64_t off, char *buf, uint32_t n, struct p9_call **call)
{
	struct p9_call *c = p9_begin(open_of(f)->client, P9_TREAD);
	long rc;

	if (!c)
		return -ENOMEM;
	p9_put32(c, open_of(f)->fid);
	p9_put64(c, off);
	p9_put32(c, n);
	if (buf)
		p9_add_piece(c, buf, n);
	rc = p9_run(c);
	if (!rc) {
		rc = p9_get32(c);
		if (rc > n || c->bad || rc > c->end - P9_READ_HEAD)
			rc = -EIO;
	}
	if (buf)
		p9_end(c);
	else
		*call = c;
	return rc;
}

/* Up to the next frame that is in memory. */
static uint64_t read_limit(struct p9_inode *pi, uint64_t pos, uint64_t n)
{
	uint64_t next = pi->npages ? pagemap_next(&pi->pages, pos / PAGE_BYTES) : UINT64_MAX;

	if (next != UINT64_MAX && next * PAGE_BYTES - pos < n)
		n = next * PAGE_BYTES - pos;
	return n;
}

static long read_frame(struct p9_inode *pi, struct iter *it, uint64_t pos, char *frame)
{
	uint64_t in = pos & PAGE_MASK, n = PAGE_BYTES - in;
	long rc;

	if (pos >= pi->vfs.size)
		return 0;
	if (n > pi->vfs.size - pos)
		n = pi->vfs.size - pos;
	page_get(frame);
	rc = iter_put(it, frame + in, n);
	page_put(frame);
	return rc;
}

static long read_small(struct file *f, struct iter *it, uint64_t pos, uint32_t n)
{
	struct p9_call *c;
	long rc = read_once(f, pos, NULL, n, &c);
	const uint8_t *data;

	if (rc == -ENOMEM)
		return rc;
	if (rc > 0) {
		data = p9_get_bytes(c, (uint32_t)rc);
		rc = data ? iter_put(it, data, (uint64_t)rc) : -EIO;
	}
	p9_end(c);
	return rc;
}

/* Reads until the end of the range, of the file, or of what comes: *pos and the iterator move along. */
static long read_run(struct file *f, struct iter *it, uint64_t *pos, uint64_t n)
{
	struct p9_client *client = open_of(f)->client;
	uint32_t bytes;
	char *buf = p9_bounce_get(client, n < client->io ? (uint32_t)n : client->io, &bytes);
	uint64_t done = 0;
	long rc = buf ? 0 : -ENOMEM;

	while (!rc && done < n) {
		uint32_t want = n - done < bytes ? (uint32_t)(n - done) : bytes;
		long got;

		rc = got = read_once(f, *pos, buf, want, NULL);
		if (got > 0)
			rc = iter_put(it, buf, (uint64_t)got);
		if (rc <= 0)
			break;
		*pos += (uint64_t)rc;
		done += (uint64_t)rc;
		if (got < want || rc < got)
			break;
		rc = 0;
	}
	if (buf)
		p9_bounce_put(client, buf, bytes);
	return done ? (long)done : rc;
}

static long read_piece(struct file *f, struct iter *it, uint64_t *pos)
{
	struct p9_inode *pi = p9_of(f->inode);
	char *frame = pi->npages ? pagemap_get(&pi->pages, *pos / PAGE_BYTES) : NULL;
	uint64_t n = read_limit(pi, *pos, it->left);
	long rc;

	if (!frame && n > PAGE_BYTES)
		return read_run(f, it, pos, n);
	rc = frame ? read_frame(pi, it, *pos, frame) : read_small(f, it, *pos, (uint32_t)n);
	if (rc > 0)
		*pos += (uint64_t)rc;
	return rc;
}

static long p9_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	uint64_t done = 0;

	while (it->left && *pos < SIZE_MAX_9) {
		long rc = read_piece(f, it, pos);

		if (rc < 0)
			return done ? (long)done : rc;
		if (!rc)
			break;
		done += (uint64_t)rc;
		if (!p9_of(f->inode)->npages)
			break; /* it ended short of what was asked, or is complete */
	}
	return (long)done;
}

/* ---- write */
static void write_done(struct p9_call *c)
{
	uint32_t at = c->at;

	if (!c->error)
		p9_pages_update(c->arg, c->arg_off, c->piece, c->npieces, p9_get32(c));
	((struct p9_inode *)c->arg)->told_ns = 0;
	c->at = at; /* for the one who waits */
}

static long write_once(struct file *f, uint64_t off, char *buf, uint32_t n)
{
	struct p9_call *c = p9_begin(open_of(f)->client, P9_TWRITE);
	long rc;

	if (!c)
		return -ENOMEM;
	p9_put32(c, open_of(f)->fid);
	p9_put64(c, off);
	p9_put32(c, n);
	c->to_device = true;
	p9_add_piece(c, buf, n);
	c->complete = write_done;
	c->arg = p9_of(f->inode);
	c->arg_off = off;
	rc = p9_run(c);
	if (!rc) {
		rc = p9_get32(c);
		if (rc > n || c->bad)
			rc = -EIO;
	}
	p9_end(c);
	return rc;
}

/* A server may take less at a time; what it took before an error counts. */
static long write_all(struct file *f, uint64_t off, char *buf, uint32_t n)
{
	uint32_t done = 0;

	while (done < n) {
		long rc = write_once(f, off + done, buf + done, n - done);

		if (rc <= 0)
			return done ? (long)done : rc;
		done += (uint32_t)rc;
	}
	return (long)done;
}

static long write_at(struct file *f, struct iter *it, uint64_t *pos)
{
	struct p9_client *client = open_of(f)->client;
	struct p9_inode *pi = p9_of(f->inode);
	uint32_t bytes;
	char *buf = p9_bounce_get(
		client, it->left < client->io ? (uint32_t)it->left : client->io, &bytes);
	uint64_t done = 0;
	long rc = buf ? 0 : -ENOMEM;

	if (bytes > client->io)
		bytes = client->io;
	while (buf && it->left) {
		long want = iter_get(it, buf, bytes);

		rc = want <= 0 ? want : write_all(f, *pos, buf, (uint32_t)want);
		if (rc <= 0)
			break;
		*pos += (uint64_t)rc;
		done += (uint64_t)rc;
		if (*pos > pi->vfs.size)
			pi->vfs.size = *pos;
		if (rc < want)
			break;
	}
	if (buf)
		p9_bounce_put(client, buf, bytes);
	return done ? (long)done : rc;
}

/* The offset is ours to choose: who appends asks for the size, and lets nobody of this instance in between. */
static long append(struct file *f, struct iter *it, uint64_t *pos)
{
	struct p9_inode *pi = p9_of(f->inode);
	long rc;

	while (pi->appending)
		waitq_wait_uninterruptible(&pi->append_end, TIME_FOREVER);
	pi->appending = true;
	rc = p9_refresh(pi);
	*pos = pi->vfs.size;
	if (!rc)
		rc = iter_limit(it, *pos);
	if (!rc)
		rc = write_at(f, it, pos);
	pi->appending = false;
	waitq_wake(&pi->append_end, 1);
	return rc;
}

static long p9_write(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	int rc;

	if (!it->left)
		return 0;
	if (f->flags & O_APPEND || it->append)
		return append(f, it, pos);
	rc = iter_limit(it, *pos);
	if (rc < 0)
		return rc;
	if (*pos >= SIZE_MAX_9)
		return -EFBIG;
	if (it->left > SIZE_MAX_9 - *pos)
		it->left = SIZE_MAX_9 - *pos;
	return write_at(f, it, pos);
}

/* ---- the rest */
int p9_truncate(struct inode *inode, uint64_t size)
{
	struct iattr to = {.valid = ATTR_SIZE, .size = size};
	struct p9_inode *pi = p9_of(inode);
	int rc = p9_setattr(inode, &to);
	char *last;

	if (rc < 0)
		return rc;
	if (pi->npages) {
		last = pagemap_get(&pi->pages, size / PAGE_BYTES);
		if (last)
			memset(last + (size & PAGE_MASK), 0, PAGE_BYTES - (size & PAGE_MASK));
		p9_pages_drop(pi, (size + PAGE_MASK) / PAGE_BYTES);
	}
	return 0;
}

static int p9_file_truncate(struct file *f, uint64_t size)
{
	return p9_truncate(f->inode, size);
}

static long p9_seek(struct file *f, int64_t off, int whence)
{
	int rc = whence >= SEEK_END ? p9_refresh(p9_of(f->inode)) : 0;
	uint64_t size = f->inode->size;

	if (rc < 0)
		return rc;
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return file_seek_size(f, off, whence, size);
	if (off < 0 || (uint64_t)off >= size)
		return -ENXIO;
	f->pos = whence == SEEK_HOLE ? size : (uint64_t)off; /* all of it counts as data */
	return (long)f->pos;
}

static int send_sync(struct file *f, bool data_only)
{
	struct p9_call *c = p9_begin(open_of(f)->client, P9_TFSYNC);
	int rc;

	if (!c)
		return -ENOMEM;
	p9_put32(c, open_of(f)->fid);
	p9_put32(c, data_only);
	rc = p9_run(c);
	p9_end(c);
	return rc;
}

static int p9_sync(struct file *f, bool data_only)
{
	int rc = p9_writeback(p9_of(f->inode));

	return rc < 0 ? rc : send_sync(f, data_only);
}

static int p9_file_writeback(struct file *f)
{
	return p9_writeback(p9_of(f->inode));
}

const struct file_ops p9_file_ops = {
	.name = "9p",
	.read = p9_read,
	.write = p9_write,
	.seek = p9_seek,
	.truncate = p9_file_truncate,
	.sync = p9_sync,
	.get_page = p9_get_page,
	.writeback = p9_file_writeback,
	.copied = true,
	.release = p9_close,
};

/* ---- folders: positions are the host's; . and .. come from it too, with our numbers */
static uint64_t entry_ino(struct file *f, const char *name, unsigned len, uint64_t ino)
{
	if (len == 1 && name[0] == '.')
		return f->inode->ino;
	return len == 2 && name[0] == '.' && name[1] == '.' ? dir_parent_ino(f->dentry) : ino;
}

/* The names of one answer: 1: all taken, 0: the program's buffer is full, or -errno. */
static int emit_names(struct file *f, struct p9_call *c, uint64_t *pos, struct dir_sink *sink)
{
	uint32_t bytes = p9_get32(c), end = c->at + bytes;

	if (c->bad || bytes > c->end - c->at)
		return -EIO;
	while (c->at < end) {
		uint64_t ino, next;
		const char *name;
		uint8_t type;
		uint16_t len;

		p9_get_bytes(c, 5);
		ino = p9_get64(c);
		next = p9_get64(c);
		type = p9_get8(c);
		len = p9_get16(c);
		name = (const char *)p9_get_bytes(c, len);
		if (!name || !len || len > NAME_MAX || memchr(name, '/', len) ||
			memchr(name, 0, len))
			return -EIO;
		if (!dir_emit(sink, name, len, entry_ino(f, name, len, ino), type, next))
			return 0;
		*pos = next;
	}
	return bytes ? 1 : 0;
}

static int p9_fill(struct file *f, uint64_t pos, struct dir_sink *sink)
{
	int rc;

	do {
		struct p9_call *c = p9_begin(open_of(f)->client, P9_TREADDIR);

		if (!c)
			return -ENOMEM;
		p9_put32(c, open_of(f)->fid);
		p9_put64(c, pos);
		p9_put32(c, DIR_BYTES);
		rc = p9_run(c);
		if (!rc)
			rc = emit_names(f, c, &pos, sink);
		p9_end(c);
	} while (rc > 0);
	return rc;
}

static long p9_getdents(struct file *f, uptr_t buf, size_t size)
{
	return dir_getdents_raw(f, buf, size, p9_fill);
}

const struct file_ops p9_dir_ops = {
	.name = "9p",
	.read = dir_read,
	.seek = dir_seek,
	.getdents = p9_getdents,
	.sync = send_sync,
	.release = p9_close,
};
