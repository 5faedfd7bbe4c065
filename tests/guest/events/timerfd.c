/* SPDX-License-Identifier: Apache-2.0 */
/* timerfd: one shot, interval, absolute, disarmed; never early. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/timerfd.h>

static struct itimerspec in_ms(long first, long every)
{
	return (struct itimerspec){
		{every / 1000, every % 1000 * 1000000}, {first / 1000, first % 1000 * 1000000}};
}

int main(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK),
	    blocking = timerfd_create(CLOCK_REALTIME, 0);
	struct itimerspec its, old;
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	uint64_t count = 0, sum = 0;
	int64_t from;

	SHOW(read(fd, &count, 8));
	SHOW(timerfd_gettime(fd, &its));
	ASK(its.it_value.tv_sec == 0 && its.it_value.tv_nsec == 0);
	its = in_ms(100000, 0);
	SHOW(timerfd_settime(fd, 0, &its, NULL));
	SHOW(timerfd_gettime(fd, &old));
	ASK(old.it_value.tv_sec >= 40 && old.it_value.tv_sec <= 100);
	SHOW(poll(&pfd, 1, 0));
	from = now_ns();
	its = in_ms(50, 0);
	SHOW(timerfd_settime(fd, 0, &its, NULL));
	SHOW(poll(&pfd, 1, 60000));
	ASK(now_ns() - from >= 50000000);
	SHOW(read(fd, &count, 4));
	SHOW(read(fd, &count, 8));
	SHOW(count);
	SHOW(read(fd, &count, 8));
	from = now_ns();
	its = in_ms(5, 5);
	SHOW(timerfd_settime(blocking, 0, &its, NULL));
	while (sum < 5) {
		NEED(read(blocking, &count, 8) == 8 && count >= 1);
		sum += count;
	}
	ASK(now_ns() - from >= 24000000);
	its = in_ms(0, 0);
	SHOW(timerfd_settime(blocking, 0, &its, &old));
	ASK(old.it_interval.tv_nsec == 5000000);
	its = in_ms(1, 0); /* long ago */
	SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
	SHOW(poll(&pfd, 1, 60000));
	SHOW(read(fd, &count, 8));
	SHOW(count);
	its = in_ms(100000, 0);
	SHOW(timerfd_settime(fd, 0, &its, NULL));
	its = in_ms(0, 0);
	SHOW(timerfd_settime(fd, 0, &its, &old));
	ASK(old.it_value.tv_sec >= 40 && old.it_value.tv_sec <= 100);
	SHOW(poll(&pfd, 1, 0));
	its.it_value.tv_nsec = 1000000000;
	SHOW(timerfd_settime(fd, 0, &its, NULL));
	SHOW(timerfd_settime(0, 0, &old, NULL));
	SHOW(timerfd_settime(999, 0, &old, NULL));
	SHOW(timerfd_create(77, 0));
	SHOW(timerfd_create(CLOCK_MONOTONIC, 0x1234));
	return 0;
}
