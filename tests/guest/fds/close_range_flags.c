/* SPDX-License-Identifier: Apache-2.0 */
/* close_range: marking instead of closing, holes, the ends of the range, a table of its own for one who is alone. */
#include "tests/guest/guest.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static void states(void)
{
	for (int fd = 20; fd < 26; fd++) {
		int flags = fcntl(fd, F_GETFD);

		say("%d:%s ", fd, flags < 0 ? "closed" : flags ? "cloexec" : "open");
	}
	say("\n");
}

static void fill(void)
{
	for (int fd = 20; fd < 26; fd++)
		NEED(dup2(1, fd) == fd);
	NEED(close(22) == 0);
}

int main(void)
{
	fill();
	RAW(close_range, 21, 23, 4 /* CLOSE_RANGE_CLOEXEC */);
	states();
	RAW(close_range, 23, 24, 0);
	states();
	fill();
	RAW(close_range, 25, -1, 4);
	states();
	RAW(close_range, 24, -1, 2 /* CLOSE_RANGE_UNSHARE */);
	states();
	fill();
	RAW(close_range, 20, 21, 6);
	states();
	RAW(close_range, 20, 19, 0);
	RAW(close_range, 20, 25, 8);
	RAW(close_range, 20, 25, 1);
	RAW(close_range, 1000000, 2000000, 0);
	states();
	RAW(close_range, 20, 20, 0);
	states();
	return 0;
}
