/* SPDX-License-Identifier: Apache-2.0 */
/* A timer with SIGEV_THREAD_ID signals one thread, one with SIGEV_THREAD runs a function. */
#include "tests/guest/guest.h"

static volatile pthread_t who;
static volatile int called;
static void handler(int signo, siginfo_t *info, void *context)
{
	who = pthread_self();
}
static void notify(union sigval value)
{
	__atomic_store_n(&called, value.sival_int, __ATOMIC_SEQ_CST);
}
static bool right;
static void *run(void *arg)
{
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	struct itimerspec it = {.it_value = {0, 3000000}};
	timer_t t;

#ifdef __GLIBC__
	ev._sigev_un._tid = (int)syscall(SYS_gettid);
#else
	ev.sigev_notify_thread_id = (int)syscall(SYS_gettid);
#endif
	NEED(timer_create(CLOCK_MONOTONIC, &ev, &t) == 0 && timer_settime(t, 0, &it, NULL) == 0);
	while (!who)
		sleep_ms(1);
	NEED(timer_delete(t) == 0);
	right = who == pthread_self();
	return NULL;
}
int main(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notify};
	struct itimerspec it = {.it_value = {0, 3000000}};
	timer_t t;

	ev.sigev_value.sival_int = 123;
	on_signal(SIGUSR1, handler, 0);
	pthread_join(start_thread(run, NULL), NULL);
	ASK(right);
	SHOW(timer_create(CLOCK_REALTIME, &ev, &t));
	SHOW(timer_settime(t, 0, &it, NULL));
	while (!called)
		sleep_ms(1);
	say("%d\n", called);
	SHOW(timer_delete(t));
	return 0;
}
