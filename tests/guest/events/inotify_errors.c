/* SPDX-License-Identifier: Apache-2.0 */
/* inotify: flags, masks, watches. */
#include "tests/guest/guest.h"

#include <sys/inotify.h>

int main(void)
{
	char b[64];
	int fd;

	SHOW(inotify_init1(0x10));
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	NEED(fd >= 0);
	SHOW(read(fd, b, sizeof(b)));
	SHOW(inotify_add_watch(fd, ".", IN_CREATE));
	SHOW(inotify_add_watch(fd, "nowhere", IN_CREATE));
	SHOW(inotify_add_watch(99, ".", IN_CREATE));
	SHOW(inotify_add_watch(1, ".", IN_CREATE));
	RAW(inotify_add_watch, fd, BAD_PTR, IN_CREATE);
	SHOW(inotify_add_watch(fd, ".", 0));
	SHOW(inotify_rm_watch(fd, 77));
	SHOW(inotify_rm_watch(99, 1));
	SHOW(inotify_rm_watch(fd, 1));
	return 0;
}
