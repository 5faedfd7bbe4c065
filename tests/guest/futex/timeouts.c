/* SPDX-License-Identifier: Apache-2.0 */
/* Relative and absolute time limits, and a signal in between. */
#include "tests/guest/guest.h"

#include "tests/guest/futex.h"
#include <sys/time.h>

static void handler(int signo) {}
int main(void)
{
	static uint32_t w;
	struct timespec ms20 = {0, 20000000}, abs, past = {1, 0};
	struct sigaction sa = {.sa_handler = handler};
	/* Again and again, so that one of them finds the call waiting. */
	struct itimerval it = {.it_value = {0, 10000}, .it_interval = {0, 10000}}, off = {0};
	int64_t from = now_ns();

	SHOW(syscall(SYS_futex, &w, FUTEX_WAIT, 0, &ms20, NULL, 0));
	ASK(now_ns() - from >= 20000000);
	clock_gettime(CLOCK_MONOTONIC, &abs);
	abs.tv_sec += 100;
	NEED(sigaction(SIGALRM, &sa, NULL) == 0 && setitimer(ITIMER_REAL, &it, NULL) == 0);
	SHOW(syscall(SYS_futex, &w, FUTEX_WAIT_BITSET, 0, &abs, NULL, FUTEX_MATCH_ANY));
	NEED(setitimer(ITIMER_REAL, &off, NULL) == 0);
	SHOW(syscall(SYS_futex, &w, FUTEX_WAIT_BITSET, 0, &past, NULL, FUTEX_MATCH_ANY));
	clock_gettime(CLOCK_REALTIME, &abs);
	abs.tv_nsec += 5000000;
	if (abs.tv_nsec >= 1000000000) {
		abs.tv_nsec -= 1000000000;
		abs.tv_sec++;
	}
	SHOW(syscall(SYS_futex, &w, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &abs, NULL,
		FUTEX_MATCH_ANY));
	sa.sa_flags = SA_RESTART;
	NEED(sigaction(SIGALRM, &sa, NULL) == 0 && setitimer(ITIMER_REAL, &it, NULL) == 0);
	from = now_ns();
	ms20.tv_sec = 100;
	SHOW(syscall(SYS_futex, &w, FUTEX_WAIT, 0, &ms20, NULL, 0)); /* goes on, for the rest */
	ASK(now_ns() - from >= 50000000000);
	return 0;
}
