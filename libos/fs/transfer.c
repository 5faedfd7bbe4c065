/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sendfile and copy_file_range: page by page, straight from the file's frame or image page to the other file, without a copy in
 * between. The frame is held while the destination blocks.
 */
#include "libos/fs/inode.h"
#include "libos/klib/errno.h"
#include "libos/mem/page.h"
#include "libos/sys/syscall.h"

/* The page as a frame with a reference: the file's own, or a copy. */
static long page_of_file(struct file *in, uint64_t pgoff, void **frame)
{
	long rc;

	if (!in->ops->copied)
		return in->ops->get_page(in, pgoff, GET_PAGE_BLOCK, frame);
	*frame = page_alloc();
	if (!*frame)
		return -ENOMEM;
	rc = file_pread(in, *frame, PAGE_BYTES, pgoff * PAGE_BYTES);
	if (rc < 0)
		page_put(*frame);
	return rc;
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
		uint64_t at = *pos & PAGE_MASK, step = PAGE_BYTES - at;
		void *frame;

		if (step > n - done)
			step = n - done;
		if (step > in->inode->size - *pos)
			step = in->inode->size - *pos;
		rc = page_of_file(in, *pos / PAGE_BYTES, &frame);
		if (rc < 0)
			break;
		iter_kernel(&it, (char *)frame + at, step);
		it.more = step < n - done && step < in->inode->size - *pos;
		rc = out->ops->write(out, &it, to, out->flags & O_NONBLOCK);
		if (page_is_ram(frame))
			page_put(frame);
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

static long copy_range(struct file *in, uptr_t in_off, struct file *out, uptr_t out_off, uint64_t n)
{
	if (readable(in) < 0 || (out->flags & O_ACCMODE) == O_RDONLY || (out->flags & O_APPEND))
		return -EBADF;
	if (!in->inode || !out->inode)
		return -EINVAL;
	if (inode_is(in->inode, S_IFDIR) || inode_is(out->inode, S_IFDIR))
		return -EISDIR;
	if (!inode_is(in->inode, S_IFREG) || !inode_is(out->inode, S_IFREG) || !in->ops->get_page ||
		!out->ops->write)
		return -EINVAL;
	if (in->inode == out->inode) {
		int64_t from = (int64_t)in->pos, to = (int64_t)out->pos;

		if ((in_off && get_user(&from, in_off) < 0) ||
			(out_off && get_user(&to, out_off) < 0))
			return -EFAULT;
		if ((uint64_t)from + n > (uint64_t)to && (uint64_t)to + n > (uint64_t)from)
			return -EINVAL;
	}
	return move_checked(in, in_off, out, out_off, n);
}

long sys_copy_file_range(const uint64_t a[6])
{
	struct file *in = fd_file_get((int)a[0]), *out = fd_file_get((int)a[2]);
	long rc = -EBADF;

	if (in && out && a[5])
		rc = -EINVAL;
	else if (in && out)
		rc = copy_range(in, a[1], out, a[3], a[4]);
	if (out)
		file_put(out);
	if (in)
		file_put(in);
	return rc;
}
