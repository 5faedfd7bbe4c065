/* SPDX-License-Identifier: Apache-2.0 */
/* dup, dup2, dup3, close_range: numbers and flags. */
#include "tests/guest/guest.h"

int main(void)
{
	SHOW(dup(99));
	SHOW(dup(-1));
	SHOW(dup2(99, 5));
	SHOW(dup2(1, 1));
	SHOW(dup2(99, 99));
	SHOW(dup2(1, -1));
	SHOW(dup2(1, 10000000));
	SHOW(dup3(1, 1, 0));
	SHOW(dup3(1, 7, 0x10));
	SHOW(dup3(1, 7, O_CLOEXEC));
	SHOW(fcntl(7, F_GETFD));
	SHOW(fcntl(1, F_DUPFD, -1));
	SHOW(fcntl(1, F_DUPFD, 20));
	SHOW(fcntl(1, F_DUPFD_CLOEXEC, 20));
	SHOW(fcntl(99, F_GETFD));
	SHOW(fcntl(1, 9999));
	RAW(close_range, 20, 10, 0);
	RAW(close_range, 20, 21, 0x10);
	RAW(close_range, 20, 21, 4);
	SHOW(fcntl(20, F_GETFD));
	RAW(close_range, 7, ~0u, 0);
	SHOW(fcntl(20, F_GETFD));
	SHOW(close(7));
	SHOW(close(-1));
	return 0;
}
