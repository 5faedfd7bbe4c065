/* SPDX-License-Identifier: Apache-2.0 */
/* inotify: descriptors, masks, numbers of watches, what is refused. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/inotify.h>

int main(void)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), p[2];
	char b[64];
	struct pollfd pfd = {.fd = fd, .events = POLLIN | POLLOUT};

	NEED(pipe(p) == 0 && mkdir("dir", 0700) == 0 &&
		close(open("file", O_CREAT | O_RDWR, 0600)) == 0);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(inotify_init1(1));
	SHOW(inotify_add_watch(fd, "dir", IN_CREATE));
	SHOW(inotify_add_watch(fd, "file", IN_MODIFY | IN_ONLYDIR));
	SHOW(inotify_add_watch(fd, "file", 0));
	SHOW(inotify_add_watch(fd, "none", IN_MODIFY));
	SHOW(inotify_add_watch(fd, "", IN_MODIFY));
	SHOW(inotify_add_watch(p[0], "dir", IN_CREATE));
	SHOW(inotify_add_watch(99, "dir", IN_CREATE));
	RAW(inotify_add_watch, fd, BAD_PTR, IN_CREATE);
	SHOW(inotify_rm_watch(fd, 77));
	SHOW(inotify_rm_watch(p[0], 1));
	SHOW(inotify_rm_watch(99, 1));
	SHOW(read(fd, b, sizeof(b)));
	SHOW(write(fd, b, 1));
	SHOW(pread(fd, b, 1, 0));
	SHOW(poll(&pfd, 1, 0));
	return 0;
}
