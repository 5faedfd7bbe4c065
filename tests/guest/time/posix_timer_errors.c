/* SPDX-License-Identifier: Apache-2.0 */
/* What the calls of POSIX timers refuse. */
#include "tests/guest/guest.h"

int main(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_NONE};
	struct itimerspec it = {.it_value = {0, 1000000000}}, good = {.it_value = {100, 0}}, old;
	int id = -1;

	RAW(timer_create, CLOCK_MONOTONIC, &ev, &id);
	RAW(timer_create, 99, &ev, &id);
	RAW(timer_create, CLOCK_MONOTONIC, BAD_PTR, &id);
	RAW(timer_create, CLOCK_MONOTONIC, &ev, BAD_PTR);
	ev.sigev_notify = 77;
	RAW(timer_create, CLOCK_MONOTONIC, &ev, &id);
	ev.sigev_notify = SIGEV_SIGNAL;
	ev.sigev_signo = 99;
	RAW(timer_create, CLOCK_MONOTONIC, &ev, &id);
	ev.sigev_notify = SIGEV_THREAD_ID;
	ev.sigev_signo = SIGUSR1;
	RAW(timer_create, CLOCK_MONOTONIC, &ev, &id);
	RAW(timer_settime, id, 0, &it, NULL);
	RAW(timer_settime, id, 0, NULL, NULL);
	RAW(timer_settime, id, 0, BAD_PTR, NULL);
	RAW(timer_settime, 9999, 0, &good, NULL);
	RAW(timer_settime, id, 0, &good, BAD_PTR);
	RAW(timer_settime, id, 0, &good, &old);
	RAW(timer_gettime, id, &old);
	ASK(old.it_value.tv_sec >= 40 && old.it_value.tv_sec <= 99 && old.it_value.tv_nsec > 0);
	RAW(timer_gettime, id, BAD_PTR);
	RAW(timer_gettime, 9999, &old);
	RAW(timer_getoverrun, 9999);
	RAW(timer_getoverrun, id);
	RAW(timer_delete, id);
	RAW(timer_delete, -1);
	return 0;
}
