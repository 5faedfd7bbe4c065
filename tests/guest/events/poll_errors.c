/* SPDX-License-Identifier: Apache-2.0 */
/* poll, ppoll, select, pselect: times, numbers, pointers. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/select.h>

int main(void)
{
	struct pollfd p[2] = {{.fd = -1, .events = POLLIN}, {.fd = 99, .events = POLLIN}};
	struct timespec bad = {0, -1}, zero = {0, 0};
	struct timeval neg = {-1, 0}, tz = {0, 0};
	fd_set set;

	SHOW(poll(p, 1, 0));
	SHOW(poll(p, 2, 0));
	say("%d %#x\n", p[0].revents, p[1].revents);
	SHOW(poll(NULL, 0, 1));
	RAW(poll, BAD_PTR, 1, 0);
	RAW(poll, p, -1, 0);
	RAW(poll, p, 100000000, 0);
	SHOW(ppoll(p, 2, &bad, NULL));
	SHOW(ppoll(p, 2, &zero, NULL));
	RAW(ppoll, p, 2, BAD_PTR, NULL, 8);
	RAW(ppoll, p, 2, &zero, p, 4);
	FD_ZERO(&set);
	SHOW(select(-1, NULL, NULL, NULL, &tz));
	SHOW(select(0, NULL, NULL, NULL, &neg));
	SHOW(select(1, &set, NULL, NULL, &tz));
	FD_SET(99, &set);
	SHOW(select(0, &set, NULL, NULL, &tz));
	RAW(select, 1, BAD_PTR, NULL, NULL, &tz);
	RAW(select, 1, NULL, NULL, NULL, BAD_PTR);
	SHOW(pselect(0, NULL, NULL, NULL, &bad, NULL));
	SHOW(pselect(0, NULL, NULL, NULL, &zero, NULL));
	return 0;
}
