/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/dev/folder.h"

#include "lib/err.h"
#include "lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define TAG_MAX 64u

int folder_open(const char *path, struct err *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(err, errno, "%s", path) : fd;
}

/* The descriptor of a message; more than one, or none, is not taken. */
static int take_fd(struct msghdr *msg)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int got;

			memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof(got));
			if (fd >= 0)
				close(got);
			else
				fd = got;
		}
	}
	return fd;
}

int folder_receive(int channel, const char *tag, struct err *err)
{
	char text[TAG_MAX];
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
	struct iovec iov = {.iov_base = text, .iov_len = sizeof(text)};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	_cleanup_close_ int fd = -1;
	struct stat st;
	ssize_t n = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (n < 0)
		return err_sys(err, errno, "volume %s: no folder has come", tag);
	fd = take_fd(&msg);
	if (fd < 0 || (size_t)n != strlen(tag) || memcmp(text, tag, (size_t)n) != 0)
		return err_set(err, EINVAL, "volume %s: another folder has come", tag);
	if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(err, ENOTDIR, "volume %s: not a folder", tag);
	return steal_fd(&fd);
}
