/* SPDX-License-Identifier: Apache-2.0 */
/* fcntl and ioctl: one switch each over the commands that are for files of any type. */
#include "libos/fs/fd.h"
#include "libos/fs/inode.h"
#include "libos/fs/locks.h"
#include "libos/fs/owner.h"
#include "libos/fs/pipe.h"
#include "libos/klib/errno.h"
#include "libos/mem/page.h"
#include "libos/mem/vm.h"
#include "libos/sys/syscall.h"

/* No file system here shares extents, or tells where they are. */
#define FICLONE       0x40049409u
#define FICLONERANGE  0x4020940du
#define FIDEDUPERANGE 0xc0189436u
#define FIEMAP        0xc020660bu
#define FIGETBSZ      2u
#define FIOQSIZE      0x5460u
#define SETFL_MASK    (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)

static long set_flags(struct file *f, unsigned flags)
{
	f->flags = (f->flags & ~SETFL_MASK) | (flags & SETFL_MASK);
	return 0;
}

static long add_seals(struct file *f, unsigned seals)
{
	if (!f->inode || f->ops->get_page == NULL)
		return -EINVAL;
	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return -EPERM;
	if (seals & ~F_SEAL_ALL)
		return -EINVAL;
	if (f->inode->seals & F_SEAL_SEAL)
		return -EPERM;
	if (seals & F_SEAL_WRITE && !(f->inode->seals & F_SEAL_WRITE) && vm_maps_writable(f->inode))
		return -EBUSY;
	f->inode->seals |= (uint8_t)seals;
	return 0;
}

static long get_seals(const struct file *f)
{
	return f->inode && f->ops->get_page ? f->inode->seals : -EINVAL;
}

static long fcntl_path(int fd, int cmd, uint64_t arg)
{
	struct file *f = fd_file_any(fd);

	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return (int)arg < 0 ? -EINVAL
				    : fd_dup_from(fd, (unsigned)arg, cmd == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_cloexec(fd) ? FD_CLOEXEC : 0;
	case F_SETFD:
		fd_set_cloexec(fd, arg & FD_CLOEXEC);
		return 0;
	case F_GETFL:
		return f->flags;
	default:
		return -EBADF;
	}
}

long sys_fcntl(const uint64_t a[6])
{
	int fd = (int)a[0], cmd = (int)a[1];
	struct file *f = fd_file_any(fd);
	uint64_t arg = a[2];

	if (!f)
		return -EBADF;
	if (cmd <= F_GETFL || cmd == F_DUPFD_CLOEXEC || (f->flags & O_PATH))
		return cmd < 0 ? -EINVAL : fcntl_path(fd, cmd, arg);
	switch (cmd) {
	case F_SETFL:
		return set_flags(f, (unsigned)arg);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_fcntl(fd, f, cmd, arg);
	case F_SETOWN:
	case F_SETSIG:
	case F_SETOWN_EX:
	case F_GETOWN:
	case F_GETSIG:
	case F_GETOWN_EX:
		return owner_fcntl(f, cmd, arg);
	case F_NOTIFY: /* nobody else changes files: a notice that never comes */
		return f->inode && inode_is(f->inode, S_IFDIR) ? 0 : -ENOTDIR;
	case F_GETLEASE:
		return F_UNLCK;
	case F_SETPIPE_SZ:
		return pipe_set_size(f, (unsigned)arg);
	case F_GETPIPE_SZ:
		return pipe_get_size(f);
	case F_ADD_SEALS:
		return add_seals(f, (unsigned)arg);
	case F_GET_SEALS:
		return get_seals(f);
	default:
		return -EINVAL;
	}
}

static long ioctl_nonblock(struct file *f, uptr_t arg)
{
	int on;

	if (get_user(&on, arg) < 0)
		return -EFAULT;
	f->flags = on ? f->flags | O_NONBLOCK : f->flags & ~O_NONBLOCK;
	return 0;
}

static long ioctl_nread(struct file *f, uptr_t arg)
{
	int64_t left;
	int n;

	if (!f->inode || !inode_is(f->inode, S_IFREG))
		return -ENOTTY;
	left = (int64_t)(f->inode->size - f->pos);
	n = left > INT32_MAX ? INT32_MAX : (int)left;
	return put_user(arg, &n);
}

static long clone_from(const struct file *to, const struct file *from)
{
	int rc;

	if (!from)
		return -EBADF;
	if (!from->inode || !to->inode)
		return -EINVAL;
	if (from->inode->sb != to->inode->sb)
		return -EXDEV;
	rc = range_files(from, to);
	return rc < 0 ? rc : -EOPNOTSUPP;
}

/* FIDEDUPERANGE: the head of struct file_dedupe_range. */
static long dedupe(const struct file *f, uptr_t arg)
{
	struct {
		uint64_t offset, length;
		uint16_t count, reserved1;
		uint32_t reserved2;
	} head;

	if (get_user(&head, arg) < 0)
		return -EFAULT;
	if ((f->flags & O_ACCMODE) == O_WRONLY || head.reserved1 || head.reserved2 || !f->inode)
		return -EINVAL;
	if (inode_is(f->inode, S_IFDIR))
		return -EISDIR;
	return inode_is(f->inode, S_IFREG) ? -EOPNOTSUPP : -EINVAL;
}

/* What Linux does for files of any kind before the file system is asked. */
static long ioctl_extents(const struct file *f, unsigned cmd, uptr_t arg)
{
	static const int block = PAGE_BYTES;
	struct {
		int64_t fd;
		uint64_t offset, length, to;
	} range;

	switch (cmd) {
	case FICLONE:
		return clone_from(f, fd_file((int)arg));
	case FICLONERANGE:
		return get_user(&range, arg) < 0 ? -EFAULT : clone_from(f, fd_file((int)range.fd));
	case FIDEDUPERANGE:
		return dedupe(f, arg);
	case FIGETBSZ:
		return f->inode ? put_user(arg, &block) : -EINVAL;
	case FIOQSIZE:
		if (!f->inode || !(inode_is(f->inode, S_IFREG) || inode_is(f->inode, S_IFDIR)))
			return -ENOTTY;
		return put_user(arg, &f->inode->size);
	default:
		return -EOPNOTSUPP;
	}
}

long sys_ioctl(const uint64_t a[6])
{
	struct file *f = fd_file((int)a[0]);
	unsigned cmd = (unsigned)a[1];
	long rc;

	if (!f)
		return -EBADF;
	switch (cmd) {
	case FIOCLEX:
	case FIONCLEX:
		fd_set_cloexec((int)a[0], cmd == FIOCLEX);
		return 0;
	case FIONBIO:
		return ioctl_nonblock(f, a[2]);
	case FIOASYNC:
		return 0;
	case FIGETBSZ:
	case FIOQSIZE:
	case FICLONE:
	case FICLONERANGE:
	case FIDEDUPERANGE:
	case FIEMAP:
		return ioctl_extents(f, cmd, a[2]);
	default:
		break;
	}
	if (f->ops->ioctl) {
		file_get(f);
		rc = f->ops->ioctl(f, cmd, a[2]);
		file_put(f);
		return rc;
	}
	return cmd == FIONREAD ? ioctl_nread(f, a[2]) : -ENOTTY;
}
