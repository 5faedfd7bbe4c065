/* SPDX-License-Identifier: Apache-2.0 */
/* flock and record locks: commands, ranges, pointers. */
#include "tests/guest/guest.h"

#include <sys/file.h>

int main(void)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open("file", O_RDWR | O_CREAT, 0600), other = open("file", O_RDWR),
	    ro = open("file", O_RDONLY);

	SHOW(flock(fd, LOCK_EX));
	SHOW(flock(other, LOCK_EX | LOCK_NB));
	SHOW(flock(other, LOCK_SH | LOCK_NB));
	SHOW(flock(fd, LOCK_SH));
	SHOW(flock(other, LOCK_SH | LOCK_NB));
	SHOW(flock(fd, LOCK_UN));
	SHOW(flock(99, LOCK_EX));
	SHOW(fcntl(fd, F_SETLK, &l));
	SHOW(fcntl(other, F_GETLK, &l));
	say("%d\n", l.l_type == F_UNLCK);
	l.l_type = 77;
	SHOW(fcntl(fd, F_SETLK, &l));
	l.l_type = F_WRLCK;
	l.l_whence = 9;
	SHOW(fcntl(fd, F_SETLK, &l));
	l.l_whence = SEEK_SET;
	l.l_start = -5;
	SHOW(fcntl(fd, F_SETLK, &l));
	l.l_start = 0;
	SHOW(fcntl(ro, F_SETLK, &l));
	SHOW(fcntl(99, F_SETLK, &l));
	SHOW(fcntl(fd, F_SETLK, BAD_PTR));
	l.l_pid = 0;
	return 0;
}
