/* SPDX-License-Identifier: Apache-2.0 */
/* setitimer, getitimer, alarm. */
#include "tests/guest/guest.h"

#include <sys/time.h>

int main(void)
{
	struct itimerval bad = {.it_value = {0, 1000000}}, neg = {.it_value = {-1, 0}},
			 far = {.it_value = {1000, 0}, .it_interval = {7, 8}}, old;

	SHOW(setitimer(ITIMER_REAL, &bad, NULL));
	SHOW(setitimer(ITIMER_REAL, &neg, NULL));
	RAW(setitimer, 3, &far, NULL);
	RAW(setitimer, -1, &far, NULL);
	RAW(setitimer, ITIMER_REAL, BAD_PTR, NULL);
	RAW(getitimer, ITIMER_REAL, BAD_PTR);
	RAW(getitimer, 3, &old);
	SHOW(setitimer(ITIMER_REAL, &far, NULL));
	SHOW(getitimer(ITIMER_REAL, &old));
	ASK(old.it_value.tv_sec >= 990 && old.it_interval.tv_sec == 7 &&
		old.it_interval.tv_usec == 8);
	ASK(alarm(500) >= 990);
	SHOW(getitimer(ITIMER_REAL, &old));
	ASK(old.it_interval.tv_sec == 0 && old.it_value.tv_sec <= 500);
	ASK(alarm(0) >= 490);
	SHOW(alarm(0));
	RAW(setitimer, ITIMER_REAL, NULL, &old); /* as if it were zero */
	SHOW(setitimer(ITIMER_VIRTUAL, &far, NULL));
	SHOW(getitimer(ITIMER_VIRTUAL, &old));
	ASK(old.it_value.tv_sec >= 900);
	SHOW(setitimer(ITIMER_PROF, &far, &old));
	say("%ld\n", (long)old.it_value.tv_sec);
	return 0;
}
