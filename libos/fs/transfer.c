/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sendfile and copy_file_range: page by page, straight from the file's frame or image page to the other file, without a copy in
 * between; of a shared folder's files 64 KiB at a time. The frames are held while the destination blocks.
 */
#include "libos/fs/inode.h"
#include "libos/klib/errno.h"
#include "libos/mem/page.h"
#include "libos/sys/syscall.h"

#define RUN_PAGES 16 /* of a file whose pages are elsewhere: read so many at a time */

/* What is moved at a time. */
struct piece {
	char *frames, *at;
	size_t pages, bytes;
};

static void piece_put(struct piece *p)
{
	if (p->frames && page_is_ram(p->frames))
		page_free_run(p->frames, p->pages);
	p->frames = NULL;
}

/* The file's own page, with a reference. */
static long piece_of_page(struct piece *p, struct file *in, uint64_t pos, uint64_t n)
{
	uint64_t in_page = pos & PAGE_MASK;
	void *frame;
	long rc = in->ops->get_page(in, pos / PAGE_BYTES, GET_PAGE_BLOCK, &frame);

	if (rc < 0)
		return rc;
	p->frames = frame;
	p->pages = 1;
	p->at = p->frames + in_page;
	p->bytes = n < PAGE_BYTES - in_page ? n : PAGE_BYTES - in_page;
	return 0;
}

/* A copy of what is at pos, in frames of ours: each read of such a file is a round trip to whoever has it. */
static long piece_of_copy(struct piece *p, struct file *in, uint64_t pos, uint64_t n)
{
	size_t pages = n < RUN_PAGES * PAGE_BYTES ? page_round_up(n) / PAGE_BYTES : RUN_PAGES;
	long rc;

	p->frames = page_alloc_run(pages);
	if (!p->frames) {
		pages = 1;
		p->frames = page_alloc_raw();
	}
	if (!p->frames)
		return -ENOMEM;
	p->pages = pages;
	p->at = p->frames;
	rc = file_pread(in, p->at, n < pages * PAGE_BYTES ? n : pages * PAGE_BYTES, pos);
	p->bytes = rc > 0 ? (size_t)rc : 0;
	if (rc <= 0)
		piece_put(p);
	return rc;
}

static long piece_get(struct piece *p, struct file *in, uint64_t pos, uint64_t n)
{
	if (n > in->inode->size - pos)
		n = in->inode->size - pos;
	return in->ops->copied ? piece_of_copy(p, in, pos, n) : piece_of_page(p, in, pos, n);
}

/* Another write was announced, and does not come. */
static void end_writes(struct file *out, uint64_t *to)
{
	struct iter none;

	iter_kernel(&none, NULL, 0);
	out->ops->write(out, &none, to, true);
}

/* At most n bytes of in at *pos to out. Bytes moved; *pos is advanced by them. out_pos NULL: out's own position. */
static long move(struct file *in, uint64_t *pos, struct file *out, uint64_t *out_pos, uint64_t n)
{
	uint64_t *to = !out->ops->seek ? NULL : out_pos ? out_pos : &out->pos;
	struct iter it = {0};
	uint64_t done = 0;
	long rc = 0;

	while (done < n && *pos < in->inode->size) {
		struct piece p = {0};
		size_t step;

		rc = piece_get(&p, in, *pos, n - done);
		if (rc < 0 || !p.bytes)
			break;
		step = p.bytes;
		iter_kernel(&it, p.at, step);
		it.more = step < n - done && step < in->inode->size - *pos;
		rc = out->ops->write(out, &it, to, out->flags & O_NONBLOCK);
		piece_put(&p);
		if (rc <= 0)
			break;
		*pos += (uint64_t)rc;
		done += (uint64_t)rc;
		if ((uint64_t)rc < step)
			break;
	}
	if (it.more)
		end_writes(out, to);
	return done ? (long)done : rc;
}

static long move_checked(
	struct file *in, uptr_t in_off, struct file *out, uptr_t out_off, uint64_t n)
{
	int64_t from = (int64_t)in->pos, to = (int64_t)out->pos;
	uint64_t pos, out_pos;
	long rc;

	if (in_off && get_user(&from, in_off) < 0)
		return -EFAULT;
	if (out_off && get_user(&to, out_off) < 0)
		return -EFAULT;
	if (from < 0 || to < 0)
		return -EINVAL;
	pos = (uint64_t)from;
	out_pos = (uint64_t)to;
	rc = move(in, &pos, out, out_off ? &out_pos : NULL, n > RW_MAX ? RW_MAX : n);
	/* sendfile(2) gives the offset back even when nothing was moved */
	if (in_off && (rc > 0 || !out_off) && put_user(in_off, &pos) < 0)
		return -EFAULT;
	if (rc <= 0)
		return rc;
	if (!in_off)
		in->pos = pos;
	if (out_off && put_user(out_off, &out_pos) < 0)
		return -EFAULT;
	return rc;
}

static int readable(const struct file *f)
{
	return (f->flags & O_ACCMODE) == O_WRONLY ? -EBADF : 0;
}

static long sendfile(struct file *out, struct file *in, uptr_t off, uint64_t n)
{
	if (readable(in) < 0 || (out->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (off && !in->ops->seek)
		return -ESPIPE;
	if (!in->ops->get_page || !in->inode || !out->ops->write || (out->flags & O_APPEND))
		return -EINVAL;
	return move_checked(in, off, out, 0, n);
}

long sys_sendfile(const uint64_t a[6])
{
	struct file *out = fd_file_get((int)a[0]), *in = fd_file_get((int)a[1]);
	long rc = -EBADF;

	if (out && in)
		rc = sendfile(out, in, a[2], a[3]);
	if (out)
		file_put(out);
	if (in)
		file_put(in);
	return rc;
}

int range_files(const struct file *in, const struct file *out)
{
	if (!in->inode || !out->inode)
		return -EINVAL;
	if (inode_is(in->inode, S_IFDIR) || inode_is(out->inode, S_IFDIR))
		return -EISDIR;
	if (!inode_is(in->inode, S_IFREG) || !inode_is(out->inode, S_IFREG))
		return -EINVAL;
	if (readable(in) < 0 || (out->flags & O_ACCMODE) == O_RDONLY || (out->flags & O_APPEND))
		return -EBADF;
	return !in->ops->get_page || !out->ops->write ? -EINVAL : 0;
}

static long copy_range(struct file *in, uptr_t in_off, struct file *out, uptr_t out_off, uint64_t n,
	unsigned flags)
{
	int64_t from = (int64_t)in->pos, to = (int64_t)out->pos;
	int rc;

	if ((in_off && get_user(&from, in_off) < 0) || (out_off && get_user(&to, out_off) < 0))
		return -EFAULT;
	if (flags)
		return -EINVAL;
	rc = range_files(in, out);
	if (rc < 0)
		return rc;
	if ((uint64_t)from + n < (uint64_t)from || (uint64_t)to + n < (uint64_t)to)
		return -EOVERFLOW;
	if (in->inode == out->inode && (uint64_t)from + n > (uint64_t)to &&
		(uint64_t)to + n > (uint64_t)from)
		return -EINVAL;
	return move_checked(in, in_off, out, out_off, n);
}

long sys_copy_file_range(const uint64_t a[6])
{
	struct file *in = fd_file_get((int)a[0]), *out = fd_file_get((int)a[2]);
	long rc = -EBADF;

	if (in && out)
		rc = copy_range(in, a[1], out, a[3], a[4], (unsigned)a[5]);
	if (out)
		file_put(out);
	if (in)
		file_put(in);
	return rc;
}
