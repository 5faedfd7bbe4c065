/* SPDX-License-Identifier: Apache-2.0 */
/* flock and record locks of one process: ranges, upgrade, close drops them, F_GETLK. */
#include "tests/guest/guest.h"

#include <sys/file.h>

static int lock(int fd, int type, long start, long len)
{
	struct flock l = {
		.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(fd, F_SETLK, &l);
}
int main(void)
{
	int a = open("file", O_CREAT | O_RDWR, 0600), b = open("file", O_RDWR), d, p[2];
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -2, .l_len = 1};

	NEED(pipe(p) == 0 && write(a, "0123456789", 10) == 10);
	SHOW(lock(a, F_WRLCK, 0, 10));
	SHOW(lock(b, F_WRLCK, 5, 10)); /* the same process: no conflict */
	SHOW(lock(a, F_UNLCK, 3, 2));
	SHOW(fcntl(a, F_SETLK, &l));
	SHOW(fcntl(a, F_GETLK, &l));
	say("%d\n", l.l_type == F_UNLCK);
	l = (struct flock){.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = -5};
	SHOW(fcntl(a, F_SETLK, &l));
	l.l_len = -50;
	SHOW(fcntl(a, F_SETLK, &l));
	l = (struct flock){.l_type = F_UNLCK, .l_whence = SEEK_SET};
	SHOW(fcntl(a, F_GETLK, &l));
	SHOW(fcntl(p[0], F_SETLK, &l));
	l.l_type = F_WRLCK;
	l.l_pid = 5;
	SHOW(fcntl(a, F_OFD_SETLK, &l));
	SHOW(flock(a, LOCK_EX | LOCK_NB));
	d = dup(a);
	SHOW(flock(d, LOCK_EX | LOCK_NB)); /* the same description */
	SHOW(close(a));
	SHOW(flock(b, LOCK_SH | LOCK_NB));
	SHOW(close(d));
	SHOW(flock(b, LOCK_SH | LOCK_NB));
	SHOW(flock(b, LOCK_SH | LOCK_EX));
	SHOW(flock(b, 0));
	SHOW(flock(p[0], LOCK_EX | LOCK_NB));
	SHOW(flock(open("file", O_PATH), LOCK_SH));
	return 0;
}
