/* SPDX-License-Identifier: Apache-2.0 */
/* The few ways in which the server touches names and descriptors of the host. */
#include "vmm/p9/server_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RESOLVE (RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)
#define RETRIES 16

_Static_assert(P9_OPEN_ACCMODE == O_ACCMODE && P9_OPEN_EXCL == O_EXCL && P9_OPEN_TRUNC == O_TRUNC &&
		P9_OPEN_DSYNC == O_DSYNC && P9_OPEN_SYNC == O_SYNC,
	"the flags of 9P2000.L are those of this machine");

int p9_host_child(int dir_fd, const char *name, struct stat *st)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE};
	long fd;
	int tries = 0;

	/* EAGAIN: the tree was changed under the look-up (openat2(2)). */
	do
		fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN && ++tries < RETRIES);
	if (fd < 0)
		return -errno;
	if (fstat((int)fd, st) < 0) {
		int error = errno;

		close((int)fd);
		return -error;
	}
	return (int)fd;
}

struct p9_proc_name p9_host_proc_name(int path_fd)
{
	struct p9_proc_name name;

	snprintf(name.text, sizeof(name.text), "%d", path_fd);
	return name;
}

int p9_host_reopen(const struct p9_server *s, int path_fd, mode_t type, int flags)
{
	int fd;

	if (type == S_IFLNK)
		return -ELOOP;
	if (type != S_IFREG && type != S_IFDIR)
		return -EACCES;
	fd = openat(s->proc_fd, p9_host_proc_name(path_fd).text,
		flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The inode, and for the rare file system that has several devices in one mount something of the device. */
struct p9_qid p9_host_qid(const struct p9_server *s, const struct stat *st)
{
	struct p9_qid qid = {.path = st->st_ino};

	if (st->st_dev != s->root_dev)
		qid.path ^= (uint64_t)st->st_dev << 40;
	qid.version = (uint32_t)st->st_mtim.tv_nsec ^ (uint32_t)st->st_mtim.tv_sec;
	if (S_ISDIR(st->st_mode))
		qid.type = P9_QID_DIR;
	else if (S_ISLNK(st->st_mode))
		qid.type = P9_QID_SYMLINK;
	return qid;
}

/* O_APPEND is the client's business, who sends offsets; O_DIRECT would ask alignment of its memory. */
int p9_host_flags(uint32_t flags)
{
	return (int)(flags & (P9_OPEN_ACCMODE | P9_OPEN_TRUNC | P9_OPEN_SYNC));
}
