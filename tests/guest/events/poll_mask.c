/* SPDX-License-Identifier: Apache-2.0 */
/* ppoll and pselect: the mask while waiting, and what is left of the time. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/select.h>

static volatile int count;

static void handler(int signo, siginfo_t *info, void *context)
{
	count++;
}
int main(void)
{
	struct timespec ts = {1, 0}, zero = {0, 0};
	struct timeval tv = {0, 10000};
	sigset_t set, none;
	struct {
		const sigset_t *mask;
		size_t size;
	} six = {&none, 4};

	on_signal(SIGUSR1, handler, SA_RESTART);
	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	NEED(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && raise(SIGUSR1) == 0);
	SHOW(poll(NULL, 0, 5));
	SHOW(ppoll(NULL, 0, &ts, &none));
	say("count %d\n", count);
	NEED(raise(SIGUSR1) == 0);
	SHOW(pselect(0, NULL, NULL, NULL, &ts, &none));
	say("count %d, time kept %d\n", count, ts.tv_sec == 1);
	NEED(raise(SIGUSR1) == 0);
	SHOW(ppoll(NULL, 0, &zero, &none));
	say("count %d\n", count);
	RAW(pselect6, 0, NULL, NULL, NULL, &zero, &six);
	RAW(pselect6, 0, NULL, NULL, NULL, &zero, BAD_PTR);
	SHOW(select(0, NULL, NULL, NULL, &tv));
	say("left %ld\n", (long)tv.tv_sec + (long)tv.tv_usec);
	SHOW(sigpending(&set));
	say("pending %d\n", sigismember(&set, SIGUSR1));
	return 0;
}
