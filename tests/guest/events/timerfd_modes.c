/* SPDX-License-Identifier: Apache-2.0 */
/* timerfd: absolute and repeated times, reading the rest, disarming, TFD_TIMER_CANCEL_ON_SET. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/timerfd.h>

int main(void)
{
	struct itimerspec t = {{0, 0}, {0, 5000000}}, old;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK),
	    real = timerfd_create(CLOCK_REALTIME, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint64_t n = 0;

	SHOW(read(fd, &n, 8));
	SHOW(timerfd_settime(fd, 0, &t, NULL));
	SHOW(poll(&p, 1, 60000));
	SHOW(read(fd, &n, 8));
	say("%lu\n", (unsigned long)n);
	SHOW(timerfd_gettime(fd, &old));
	say("left %ld %ld\n", (long)old.it_value.tv_sec, (long)old.it_value.tv_nsec);
	t.it_value = (struct timespec){0, 1}; /* long ago */
	SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL));
	SHOW(poll(&p, 1, 60000));
	SHOW(read(fd, &n, 8));
	t.it_interval = (struct timespec){100, 0};
	t.it_value = (struct timespec){50, 0};
	SHOW(timerfd_settime(fd, 0, &t, NULL));
	t.it_value.tv_sec = 0;
	SHOW(timerfd_settime(fd, 0, &t, &old));
	say("left %d of %ld\n", old.it_value.tv_sec >= 40, (long)old.it_interval.tv_sec);
	SHOW(timerfd_gettime(fd, &old));
	say("left %ld, every %ld\n", (long)old.it_value.tv_sec, (long)old.it_interval.tv_sec);
	SHOW(poll(&p, 1, 5));
	t.it_interval.tv_sec = 0;
	t.it_value.tv_nsec = 1;
	SHOW(timerfd_settime(real, 0, &t, NULL));
	SHOW(read(real, &n, 8));
	SHOW(read(real, &n, 4));
	SHOW(timerfd_settime(real, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t, NULL));
	SHOW(timerfd_settime(real, 8, &t, NULL));
	SHOW(write(real, &n, 8));
	SHOW(lseek(real, 0, SEEK_CUR));
	RAW(read, real, BAD_PTR, 8);
	return 0;
}
