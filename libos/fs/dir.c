/* SPDX-License-Identifier: Apache-2.0 */
/*
 * getdents and getdents64 for all file systems. The position of a directory file is a cookie: 0 and 1 are . and .., the rest is the file
 * system's own; each record carries the cookie of what comes next, so that lseek to a d_off goes on there.
 */
#include "libos/fs/inode.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/sys/syscall.h"

struct dir_sink {
	uptr_t buf;
	size_t size, used;
	uint64_t pos; /* behind the last record */
	bool old;     /* getdents(2): the type is the last byte */
	int error;
};

/* struct linux_dirent64: ino, off, reclen, type, name; struct linux_dirent: ino, off, reclen, name, zero, type. */
#define HEAD 18u

bool dir_emit(struct dir_sink *s, const char *name, unsigned len, uint64_t ino, unsigned type,
	uint64_t next)
{
	struct {
		uint64_t ino, off;
		uint16_t reclen;
		char text[NAME_MAX + 1 + 1 + 8];
	} __attribute__((packed)) rec = {.ino = ino, .off = next};
	size_t bytes = (HEAD + 1 + len + 1 + 7) & ~7ul;
	char *at = rec.text;

	if (bytes > s->size - s->used) {
		if (!s->used)
			s->error = -EINVAL;
		return false;
	}
	rec.reclen = (uint16_t)bytes;
	if (!s->old)
		*at++ = (char)type;
	memcpy(at, name, len);
	if (s->old)
		rec.text[bytes - HEAD - 1] = (char)type;
	if (copy_to_user(s->buf + s->used, &rec, bytes) < 0) {
		s->error = s->used ? 0 : -EFAULT;
		return false;
	}
	s->used += bytes;
	s->pos = next;
	return true;
}

uint64_t dir_parent_ino(struct dentry *d)
{
	while (d->parent == d && d->covers)
		d = d->covers;
	return d->parent->inode->ino;
}

static bool old_format; /* of the call under way; copied before anything blocks */

long dir_getdents(struct file *f, uptr_t buf, size_t size, dir_fill_fn *fill)
{
	struct dir_sink s = {.buf = buf, .size = size, .pos = f->pos, .old = old_format};
	bool full = false;
	int rc = 0;

	if (s.pos == 0)
		full = !dir_emit(&s, ".", 1, f->inode->ino, DT_DIR, 1);
	if (!full && s.pos == 1)
		full = !dir_emit(&s, "..", 2, dir_parent_ino(f->dentry), DT_DIR, DIR_POS_FIRST);
	if (!full)
		rc = fill(f, s.pos, &s);
	f->pos = s.pos;
	if (s.used)
		return (long)s.used;
	return s.error ? s.error : rc;
}

long dir_getdents_raw(struct file *f, uptr_t buf, size_t size, dir_fill_fn *fill)
{
	struct dir_sink s = {.buf = buf, .size = size, .pos = f->pos, .old = old_format};
	int rc = fill(f, s.pos, &s);

	f->pos = s.pos;
	if (s.used)
		return (long)s.used;
	return s.error ? s.error : rc;
}

long dir_seek(struct file *f, int64_t off, int whence)
{
	if (whence == SEEK_CUR)
		off += (int64_t)f->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (off < 0)
		return -EINVAL;
	f->pos = (uint64_t)off;
	return off;
}

long dir_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	return -EISDIR;
}

static long getdents(const uint64_t a[6], bool old)
{
	struct file *f = fd_file_get((int)a[0]);
	unsigned size = (unsigned)a[2];
	long rc = -ENOTDIR;

	if (!f)
		return -EBADF;
	if (f->ops->getdents && !f->inode->nlink) {
		rc = -ENOENT;
	} else if (f->ops->getdents) {
		old_format = old;
		rc = f->ops->getdents(f, a[1], size);
		if (rc >= 0)
			file_accessed(f);
	}
	file_put(f);
	return rc;
}

long sys_getdents(const uint64_t a[6])
{
	return getdents(a, true);
}

long sys_getdents64(const uint64_t a[6])
{
	return getdents(a, false);
}
