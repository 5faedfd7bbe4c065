/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data of regular files: own frames in a pagemap; below them, up to lower_limit, the image's bytes in place; else zeros. Mappings get
 * those same frames and image pages. When a page of the image gets a frame of its own, or pages go away, mappings are told
 * (vm_unmap_file), so that their next access sees the file as it is.
 */
#include "libos/fs/memfs.h"
#include "libos/fs/perm.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"

#define FILE_MAX_BYTES 0x7fffffffffffffffull

/* libos/mem: drops page-table entries that map these pages of the inode. */
void vm_unmap_file(struct inode *inode, uint64_t pgoff, uint64_t npages) __attribute__((weak));

static void unmap(struct memfs_inode *mi, uint64_t pgoff, uint64_t npages)
{
	if (vm_unmap_file)
		vm_unmap_file(&mi->vfs, pgoff, npages);
}

static const struct erofs *image_of(struct memfs_inode *mi)
{
	return &memfs_super_of(&mi->vfs)->image;
}

/* Copies the image's bytes of one page; the frame is clear. */
static int lower_copy(struct memfs_inode *mi, uint64_t off, char *frame)
{
	uint64_t end = off + PAGE_BYTES < mi->lower_limit ? off + PAGE_BYTES : mi->lower_limit;

	for (uint64_t at = off; at < end;) {
		const uint8_t *data;
		uint64_t n;
		int rc = erofs_data(image_of(mi), &mi->lower, at, &data, &n);

		if (rc < 0)
			return rc;
		if (n > end - at)
			n = end - at;
		if (data)
			memcpy(frame + (at - off), data, n);
		at += n;
	}
	return 0;
}

static void tail_drop(struct memfs_inode *mi)
{
	if (mi->tail)
		page_put(mi->tail);
	mi->tail = NULL;
}

static int page_add(struct memfs_inode *mi, uint64_t pgoff, void *frame)
{
	int rc = pagemap_set(&mi->pages, pgoff, frame);

	if (rc < 0) {
		page_put(frame);
		return rc == -ENOMEM ? -ENOSPC : rc;
	}
	mi->npages++;
	mi->vfs.sb->pages++;
	return 0;
}

/* The file's own frame of that page, made when there is none: with the old contents, or without (raw) when all is overwritten. */
static int own_page(struct memfs_inode *mi, uint64_t pgoff, bool raw, char **frame)
{
	uint64_t off = pgoff * PAGE_BYTES;
	bool below = off < mi->lower_limit;
	int rc;

	*frame = pagemap_get(&mi->pages, pgoff);
	if (*frame)
		return 0;
	if (mi->vfs.sb->pages >= mi->vfs.sb->pages_max)
		return -ENOSPC;
	rc = memfs_touch(&mi->vfs);
	if (rc < 0)
		return rc;
	*frame = raw ? page_alloc_raw() : page_alloc();
	if (!*frame)
		return -ENOSPC;
	if (below && !raw && (rc = lower_copy(mi, off, *frame)) < 0) {
		page_put(*frame);
		return -EIO;
	}
	rc = page_add(mi, pgoff, *frame);
	if (!rc && below && off + PAGE_BYTES >= mi->lower_limit)
		tail_drop(mi);
	if (!rc && mi->lent)
		unmap(mi, pgoff, 1);
	return rc;
}

/* What lies at off, in one piece, not beyond the file's end: *data NULL: zeros. */
static int piece(struct memfs_inode *mi, uint64_t off, const void **data, uint64_t *n)
{
	const char *frame = mi->npages ? pagemap_get(&mi->pages, off / PAGE_BYTES) : NULL;
	uint64_t in = off & PAGE_MASK;
	const uint8_t *p = NULL;
	int rc;

	*n = PAGE_BYTES - in;
	*data = frame ? frame + in : NULL;
	if (!frame && off < mi->lower_limit) {
		uint64_t run;

		rc = erofs_data(image_of(mi), &mi->lower, off, &p, &run);
		if (rc < 0)
			return -EIO;
		if (run > mi->lower_limit - off)
			run = mi->lower_limit - off;
		if (run < *n || !mi->npages) /* without frames of our own, the whole run */
			*n = run;
		*data = p;
	}
	if (*n > mi->vfs.size - off)
		*n = mi->vfs.size - off;
	return 0;
}

static long memfs_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	struct memfs_inode *mi = memfs_of(f->inode);
	uint64_t done = 0;

	while (it->left && *pos < mi->vfs.size) {
		const void *data;
		uint64_t n;
		long got = piece(mi, *pos, &data, &n);

		if (got < 0)
			return done ? (long)done : got;
		got = data ? iter_put(it, data, n) : iter_zero(it, n);
		if (got < 0)
			return done ? (long)done : got;
		*pos += (uint64_t)got;
		done += (uint64_t)got;
	}
	return (long)done;
}

/* Bytes past the end in the last frame may hold what a mapping wrote there; they must read as zeros when the file grows. */
static void clear_past_end(struct memfs_inode *mi)
{
	char *frame = pagemap_get(&mi->pages, mi->vfs.size / PAGE_BYTES);

	if (frame)
		memset(frame + (mi->vfs.size & PAGE_MASK), 0,
			PAGE_BYTES - (mi->vfs.size & PAGE_MASK));
}

static long write_page(struct memfs_inode *mi, struct iter *it, uint64_t pos)
{
	uint64_t in = pos & PAGE_MASK, n = PAGE_BYTES - in;
	char *frame;
	bool raw;
	long got;
	int rc;

	if (n > it->left)
		n = it->left;
	raw = n == PAGE_BYTES && pos >= mi->lower_limit &&
		!pagemap_get(&mi->pages, pos / PAGE_BYTES);
	rc = own_page(mi, pos / PAGE_BYTES, raw, &frame);
	if (rc < 0)
		return rc;
	got = iter_get(it, frame + in, n);
	if (raw && got < (long)n)
		memset(frame + (got < 0 ? 0 : got), 0, PAGE_BYTES - (got < 0 ? 0 : (uint64_t)got));
	return got;
}

static int write_check(struct memfs_inode *mi, struct iter *it, uint64_t pos)
{
	int rc = iter_limit(it, pos);

	if (rc < 0)
		return rc;
	if (mi->vfs.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (pos >= FILE_MAX_BYTES)
		return -EFBIG;
	if (it->left > FILE_MAX_BYTES - pos)
		it->left = FILE_MAX_BYTES - pos;
	if ((mi->vfs.seals & F_SEAL_GROW) && pos + it->left > mi->vfs.size) {
		if (pos >= mi->vfs.size)
			return -EPERM;
		it->left = mi->vfs.size - pos;
	}
	return memfs_touch(&mi->vfs);
}

static long memfs_write(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	struct memfs_inode *mi = memfs_of(f->inode);
	uint64_t done = 0;
	long got;

	if (f->flags & O_APPEND || it->append)
		*pos = mi->vfs.size;
	if (!it->left)
		return 0;
	got = write_check(mi, it, *pos);
	if (got < 0)
		return got;
	if (*pos > mi->vfs.size)
		clear_past_end(mi);
	while (it->left) {
		got = write_page(mi, it, *pos);
		if (got < 0)
			break;
		*pos += (uint64_t)got;
		done += (uint64_t)got;
		if (*pos > mi->vfs.size)
			mi->vfs.size = *pos;
	}
	if (done) {
		inode_modified(&mi->vfs);
		inode_written(&mi->vfs);
	}
	return done ? (long)done : got;
}

int memfs_truncate(struct inode *inode, uint64_t size)
{
	struct memfs_inode *mi = memfs_of(inode);
	char *frame;
	int rc;

	if (size > FILE_MAX_BYTES)
		return -EFBIG;
	if ((size < inode->size && (inode->seals & F_SEAL_SHRINK)) ||
		(size > inode->size && (inode->seals & F_SEAL_GROW)))
		return -EPERM;
	rc = memfs_touch(inode);
	if (rc < 0)
		return rc;
	if (size < inode->size) {
		if (size < mi->lower_limit && (size & PAGE_MASK)) {
			rc = own_page(mi, size / PAGE_BYTES, false, &frame);
			if (rc < 0)
				return rc;
		}
		if (size < mi->lower_limit) {
			mi->lower_limit = page_round_down(size);
			tail_drop(mi);
		}
		unmap(mi, (size + PAGE_MASK) / PAGE_BYTES, UINT64_MAX / PAGE_BYTES);
		uint64_t gone =
			pagemap_drop(&mi->pages, (size + PAGE_MASK) / PAGE_BYTES, UINT64_MAX);
		mi->npages -= gone;
		inode->sb->pages -= gone;
		inode->size = size;
		if (size & PAGE_MASK)
			clear_past_end(mi);
	} else {
		clear_past_end(mi);
		inode->size = size;
	}
	return 0;
}

/* Zeros one page's part. */
static int punch_part(struct memfs_inode *mi, uint64_t off, uint64_t n)
{
	uint64_t pgoff = off / PAGE_BYTES;
	char *frame;
	int rc;

	if (!pagemap_get(&mi->pages, pgoff) && off >= mi->lower_limit)
		return 0;
	rc = own_page(mi, pgoff, false, &frame);
	if (!rc)
		memset(frame + (off & PAGE_MASK), 0, n);
	return rc;
}

static int punch(struct memfs_inode *mi, uint64_t off, uint64_t end)
{
	uint64_t gone, first;

	for (; off < end &&
		((off & PAGE_MASK) || off < mi->lower_limit || end - off < PAGE_BYTES);) {
		uint64_t n = PAGE_BYTES - (off & PAGE_MASK);
		int rc;

		if (n > end - off)
			n = end - off;
		rc = punch_part(mi, off, n);
		if (rc < 0)
			return rc;
		off += n;
	}
	if (off >= end)
		return 0;
	first = off / PAGE_BYTES;
	unmap(mi, first, end / PAGE_BYTES - first);
	gone = pagemap_drop(&mi->pages, first, end / PAGE_BYTES);
	mi->npages -= gone;
	mi->vfs.sb->pages -= gone;
	return end & PAGE_MASK ? punch_part(mi, page_round_down(end), end & PAGE_MASK) : 0;
}

int memfs_fallocate(struct inode *inode, unsigned mode, uint64_t off, uint64_t len)
{
	struct memfs_inode *mi = memfs_of(inode);
	uint64_t end = off + len;
	char *frame;
	int rc;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	if (mode & FALLOC_FL_PUNCH_HOLE) {
		if (inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
			return -EPERM;
		if (!(mode & FALLOC_FL_KEEP_SIZE))
			return -EOPNOTSUPP;
		if (end > page_round_up(inode->size))
			end = page_round_up(inode->size);
		rc = off < end ? punch(mi, off, end) : 0;
		if (!rc)
			inode_modified(inode);
		return rc;
	}
	if (end > inode->size && !(mode & FALLOC_FL_KEEP_SIZE) && (inode->seals & F_SEAL_GROW))
		return -EPERM;
	if ((end + PAGE_MASK) / PAGE_BYTES - off / PAGE_BYTES >
		inode->sb->pages_max - inode->sb->pages + mi->npages)
		return -ENOSPC;
	for (uint64_t p = off / PAGE_BYTES; p * PAGE_BYTES < end; p++) {
		if (p * PAGE_BYTES < mi->lower_limit)
			continue;
		rc = own_page(mi, p, false, &frame);
		if (rc < 0)
			return rc;
	}
	if (end > inode->size && !(mode & FALLOC_FL_KEEP_SIZE)) {
		clear_past_end(mi);
		inode->size = end;
	}
	inode_changed(inode);
	return 0;
}

static bool all_zero(const uint8_t *p, uint64_t n)
{
	for (; n; n--) {
		if (*p++)
			return false;
	}
	return true;
}

/* The image's page, in place when it lies page-aligned there; the last one also when zeros follow it up to the page's end. */
static void *lower_page(struct memfs_inode *mi, uint64_t pgoff)
{
	uint64_t off = pgoff * PAGE_BYTES, n;
	const struct erofs *fs = image_of(mi);
	const uint8_t *data;

	if (erofs_data(fs, &mi->lower, off, &data, &n) < 0 || !data ||
		((uintptr_t)data & PAGE_MASK))
		return NULL;
	if (n < PAGE_BYTES) {
		if (off + n < mi->lower.size ||
			(uint64_t)(data - fs->image) + PAGE_BYTES > fs->bytes)
			return NULL;
		if (!all_zero(data + n, PAGE_BYTES - n))
			return NULL;
	}
	return (void *)(uintptr_t)data;
}

static int tail_page(struct memfs_inode *mi, uint64_t pgoff, void **frame)
{
	int rc;

	if (!mi->tail) {
		mi->tail = page_alloc();
		if (!mi->tail)
			return -ENOMEM;
		rc = lower_copy(mi, pgoff * PAGE_BYTES, mi->tail);
		if (rc < 0) {
			tail_drop(mi);
			return -EIO;
		}
	}
	*frame = mi->tail;
	return 0;
}

/* The frame of zeros that stands for a hole that is only read. */
static void *zero_frame(void)
{
	static void *frame;

	if (!frame)
		frame = page_alloc();
	return frame;
}

/* A page that is not the file's own frame, for who only reads it: the image's, its copied tail, zeros. NULL: there is none. */
static void *lent_page(struct memfs_inode *mi, uint64_t pgoff, bool shared)
{
	uint64_t off = pgoff * PAGE_BYTES;
	void *frame;

	if (off >= mi->lower_limit)
		return shared ? NULL : zero_frame();
	frame = lower_page(mi, pgoff);
	if (!frame && off + PAGE_BYTES >= mi->lower_limit && tail_page(mi, pgoff, &frame) < 0)
		return NULL;
	return frame;
}

static int memfs_get_page(struct file *f, uint64_t pgoff, unsigned how, void **frame)
{
	bool shared = how & GET_PAGE_SHARED, write = how & GET_PAGE_WRITE;
	struct memfs_inode *mi = memfs_of(f->inode);
	char *own;
	int rc;

	if (pgoff >= page_round_up(mi->vfs.size) / PAGE_BYTES)
		return -EIO;
	*frame = pagemap_get(&mi->pages, pgoff);
	if (!*frame && !(shared && write)) {
		*frame = lent_page(mi, pgoff, shared);
		mi->lent = mi->lent || *frame;
	}
	if (!*frame) {
		rc = own_page(mi, pgoff, false, &own);
		if (rc < 0)
			return rc == -ENOSPC ? -ENOMEM : rc;
		*frame = own;
	}
	if (page_is_ram(*frame))
		page_get(*frame);
	return 0;
}

/* SEEK_DATA and SEEK_HOLE: the image's data counts as data. */
static long seek_data(struct memfs_inode *mi, uint64_t off, bool hole)
{
	uint64_t p = off / PAGE_BYTES, next;

	if (off >= mi->vfs.size)
		return -ENXIO;
	if (!hole) {
		if (off < mi->lower_limit)
			return (long)off;
		next = pagemap_next(&mi->pages, p);
		if (next == UINT64_MAX || next * PAGE_BYTES >= mi->vfs.size)
			return -ENXIO;
		return (long)(next == p ? off : next * PAGE_BYTES);
	}
	while (p * PAGE_BYTES < mi->vfs.size &&
		(p * PAGE_BYTES < mi->lower_limit || pagemap_get(&mi->pages, p)))
		p = p * PAGE_BYTES < mi->lower_limit ? page_round_up(mi->lower_limit) / PAGE_BYTES
						     : p + 1;
	next = p * PAGE_BYTES > off ? p * PAGE_BYTES : off;
	return (long)(next < mi->vfs.size ? next : mi->vfs.size);
}

static long memfs_seek(struct file *f, int64_t off, int whence)
{
	long rc;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return file_seek_size(f, off, whence, f->inode->size);
	rc = off < 0 ? -ENXIO : seek_data(memfs_of(f->inode), (uint64_t)off, whence == SEEK_HOLE);
	if (rc >= 0)
		f->pos = (uint64_t)rc;
	return rc;
}

static int memfs_file_truncate(struct file *f, uint64_t size)
{
	return vfs_truncate(f->inode, size);
}

static int memfs_sync(struct file *f, bool data_only)
{
	return 0;
}

const struct file_ops memfs_file_ops = {
	.name = "file",
	.read = memfs_read,
	.write = memfs_write,
	.seek = memfs_seek,
	.truncate = memfs_file_truncate,
	.sync = memfs_sync,
	.get_page = memfs_get_page,
};

void memfs_data_free(struct memfs_inode *mi)
{
	uint64_t gone = pagemap_drop(&mi->pages, 0, UINT64_MAX);

	mi->vfs.sb->pages -= gone;
	tail_drop(mi);
}
