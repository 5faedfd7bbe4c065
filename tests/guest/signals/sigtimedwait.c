/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for signals: errors, polls, and that no handler runs. */
#include "tests/guest/guest.h"

#include <stdatomic.h>

static int handled;
static void handler(int signo, siginfo_t *info, void *context)
{
	handled++;
}
static atomic_bool over;

static void *send_again(void *arg)
{
	while (!over) {
		sleep_ms(20);
		kill(getpid(), *(int *)arg);
	}
	return NULL;
}
static void *send_later(void *arg)
{
	sleep_ms(20);
	kill(getpid(), *(int *)arg);
	return NULL;
}
int main(void)
{
	struct timespec zero = {0}, bad = {0, 1000000000}, negative = {-1, 0}, far = {100, 0};
	siginfo_t info;
	sigset_t set;
	int usr1 = SIGUSR1, usr2 = SIGUSR2;
	pthread_t t;

	on_signal(SIGUSR1, handler, 0);
	on_signal(SIGUSR2, handler, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	NEED(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	SHOW(sigtimedwait(&set, &info, &zero));
	SHOW(sigtimedwait(&set, &info, &bad));
	SHOW(sigtimedwait(&set, &info, &negative));
	RAW(rt_sigtimedwait, &set, &info, &zero, 4);
	RAW(rt_sigtimedwait, BAD_PTR, &info, &zero, 8);
	RAW(rt_sigtimedwait, &set, &info, BAD_PTR, 8);
	NEED(raise(SIGUSR1) == 0);
	RAW(rt_sigtimedwait, &set, BAD_PTR, &zero, 8);
	NEED(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 42}) == 0);
	SHOW(sigtimedwait(&set, &info, &zero));
	say("%d %d\n", info.si_value.sival_int, info.si_code == SI_QUEUE);
	t = start_thread(send_later, &usr1);
	SHOW(sigtimedwait(&set, NULL, &far));
	pthread_join(t, NULL);
	t = start_thread(send_again, &usr2); /* not waited for: interrupts */
	SHOW(sigtimedwait(&set, &info, &far));
	over = true;
	pthread_join(t, NULL);
	ASK(handled >= 1);
	return 0;
}
