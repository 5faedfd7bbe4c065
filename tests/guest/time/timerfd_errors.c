/* SPDX-License-Identifier: Apache-2.0 */
/* timerfd: flags, clocks, pointers, reads. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/timerfd.h>

/* Until it has fired: the timer may be another processor's than the sleep's. */
static void until_fired(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	NEED(poll(&p, 1, -1) == 1);
}

int main(void)
{
	struct itimerspec bad = {.it_value = {0, 1000000000}}, far = {.it_value = {1000, 0}},
			  soon = {.it_value = {0, 1000000}}, old;
	uint64_t n;
	int fd;

	SHOW(timerfd_create(99, 0));
	SHOW(timerfd_create(CLOCK_THREAD_CPUTIME_ID, 0));
	SHOW(timerfd_create(CLOCK_MONOTONIC, 0x1234567));
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	NEED(fd >= 0);
	SHOW(timerfd_settime(fd, 0, &bad, NULL));
	SHOW(timerfd_settime(fd, 0x10, &far, NULL));
	RAW(timerfd_settime, fd, 0, BAD_PTR, NULL);
	RAW(timerfd_settime, fd, 0, &far, BAD_PTR);
	SHOW(timerfd_settime(fd, 0, &far, NULL));
	RAW(timerfd_gettime, fd, BAD_PTR);
	SHOW(timerfd_gettime(fd, &old));
	ASK(old.it_value.tv_sec >= 990);
	SHOW(timerfd_settime(STDOUT_FILENO, 0, &far, NULL));
	SHOW(timerfd_settime(99, 0, &far, NULL));
	SHOW(timerfd_gettime(STDOUT_FILENO, &old));
	SHOW(read(fd, &n, 8));
	SHOW(timerfd_settime(fd, 0, &soon, NULL));
	until_fired(fd);
	SHOW(read(fd, &n, 4));
	RAW(read, fd, BAD_PTR, 8);
	SHOW(timerfd_settime(fd, 0, &soon, NULL));
	until_fired(fd);
	RAW(read, fd, &n, 16);
	say("%lu\n", (unsigned long)n);
	SHOW(write(fd, &n, 8));
	SHOW(lseek(fd, 0, SEEK_CUR));
	soon.it_interval.tv_nsec = 1000000;
	SHOW(timerfd_settime(fd, 0, &soon, NULL));
	until_fired(fd);
	sleep_ms(30);
	SHOW(read(fd, &n, 8));
	ASK(n >= 10);
	return 0;
}
