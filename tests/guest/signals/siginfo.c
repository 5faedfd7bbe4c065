/* SPDX-License-Identifier: Apache-2.0 */
/* What siginfo says of each way to send a signal. */
#include "tests/guest/guest.h"

#include <sys/time.h>

static siginfo_t got;
static void handler(int signo, siginfo_t *info, void *context)
{
	got = *info;
}
static void show(const char *what)
{
	say("%s: code %d, pid %s, uid %u\n", what, got.si_code,
		got.si_pid == getpid() ? "mine" : "0 or other", got.si_uid);
}
int main(void)
{
	struct itimerval it = {.it_value = {0, 1000}};
	volatile double zero = 0;
	volatile int izero = 0;

	(void)zero;
	(void)izero;
	on_signal(SIGUSR1, handler, 0);
	on_signal(SIGALRM, handler, 0);
	NEED(kill(getpid(), SIGUSR1) == 0);
	show("kill");
	NEED(raise(SIGUSR1) == 0);
	show("raise");
	NEED(pthread_kill(pthread_self(), SIGUSR1) == 0);
	show("pthread_kill");
	NEED(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 3}) == 0);
	show("sigqueue");
	memset(&got, 0, sizeof(got));
	NEED(setitimer(ITIMER_REAL, &it, NULL) == 0);
	while (got.si_signo == 0)
		sleep_ms(1);
	say("itimer: code %d\n", got.si_code);
	return 0;
}
