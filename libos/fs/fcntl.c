/* SPDX-License-Identifier: Apache-2.0 */
/* fcntl and ioctl: one switch each over the commands that are for files of any type. */
#include "libos/fs/fd.h"
#include "libos/fs/inode.h"
#include "libos/fs/locks.h"
#include "libos/fs/pipe.h"
#include "libos/klib/errno.h"
#include "libos/mem/page.h"
#include "libos/mem/vm.h"
#include "libos/sys/syscall.h"

#define FICLONE    0x40049409u /* no file system here shares extents */
#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)

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

/* Nothing is ever sent to an owner (no SIGIO), but the value is kept by programs that set and get it. */
static long owner_ex(uptr_t arg)
{
	struct f_owner_ex none = {0};

	return put_user(arg, &none);
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
		return 0;
	case F_GETOWN_EX:
		return owner_ex(arg);
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
	case FICLONE:
		return fd_file((int)a[2]) ? -EOPNOTSUPP : -EBADF;
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
