/* SPDX-License-Identifier: Apache-2.0 */
/* File locks: within one process record locks never conflict; flock belongs to the open file. */
#include "tests/guest/guest.h"

#include <sys/file.h>

int main(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
	int a = open("file", O_RDWR | O_CREAT, 0600), b = open("file", O_RDWR),
	    ro = open("file", O_RDONLY);

	SHOW(fcntl(a, F_SETLK, &lock));
	SHOW(fcntl(b, F_SETLK, &lock));
	SHOW(fcntl(b, F_GETLK, &lock));
	ASK(lock.l_type == F_UNLCK);
	lock.l_type = F_WRLCK;
	SHOW(fcntl(b, F_SETLKW, &lock));
	SHOW(fcntl(ro, F_SETLK, &lock));
	lock.l_type = 77;
	SHOW(fcntl(a, F_SETLK, &lock));
	lock.l_type = F_UNLCK;
	SHOW(fcntl(a, F_SETLK, &lock));
	SHOW(fcntl(999, F_SETLK, &lock));
	SHOW(flock(a, LOCK_EX));
	SHOW(flock(b, LOCK_EX | LOCK_NB));
	SHOW(flock(b, LOCK_SH | LOCK_NB));
	SHOW(flock(a, LOCK_SH));
	SHOW(flock(b, LOCK_SH | LOCK_NB));
	SHOW(flock(a, LOCK_UN));
	SHOW(flock(b, LOCK_EX | LOCK_NB));
	SHOW(close(b));
	SHOW(flock(a, LOCK_EX | LOCK_NB));
	SHOW(flock(a, 77));
	return 0;
}
