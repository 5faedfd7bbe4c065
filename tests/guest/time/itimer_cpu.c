/* SPDX-License-Identifier: Apache-2.0 */
/* Timers on CPU time: SIGVTALRM and SIGPROF come to a program that computes. */
#include "tests/guest/guest.h"

#include <sys/time.h>

static volatile int virt, prof;
static void handler(int signo, siginfo_t *info, void *context)
{
	if (signo == SIGVTALRM)
		virt++;
	else
		prof++;
}
int main(void)
{
	struct itimerval it = {.it_value = {0, 20000}, .it_interval = {0, 20000}}, off = {0};

	on_signal(SIGVTALRM, handler, SA_RESTART);
	on_signal(SIGPROF, handler, SA_RESTART);
	SHOW(setitimer(ITIMER_VIRTUAL, &it, NULL));
	while (virt < 3)
		;
	SHOW(setitimer(ITIMER_VIRTUAL, &off, NULL));
	SHOW(setitimer(ITIMER_PROF, &it, NULL));
	while (prof < 3)
		;
	SHOW(setitimer(ITIMER_PROF, &off, NULL));
	say("both came\n");
	return 0;
}
