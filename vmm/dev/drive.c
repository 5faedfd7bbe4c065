/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/dev/drive.h"

#include "lib/err.h"
#include "lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

int drive_open(const char *path, bool read_only, struct err *err)
{
	/* Not to wait for the other end of a fifo: what it is is looked at first. */
	_cleanup_close_ int fd =
		open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "drive %s", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(
			err, EINVAL, "drive %s: neither a regular file nor a block device", path);
	if (fcntl(fd, F_SETFL, 0) < 0)
		return err_sys(err, errno, "drive %s", path);
	return steal_fd(&fd);
}

int64_t drive_bytes(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);

	return end < 0 ? -errno : end;
}

int drive_lock(int fd, bool read_only, struct err *err)
{
	if (flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(err, EBUSY, "in use by another VM");
	return err_sys(err, errno, "lock");
}
