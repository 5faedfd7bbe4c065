/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks of threads count the thread's own work only. */
#include "tests/guest/threads.h"

#include <semaphore.h>
#include <sys/resource.h>

static sem_t stop;
static clockid_t idle_clock;
static long idle_tid;
static void *sleeper(void *arg)
{
	NEED(pthread_getcpuclockid(pthread_self(), &idle_clock) == 0);
	__atomic_store_n(&idle_tid, syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	NEED(sem_wait(&stop) == 0);
	return NULL;
}
static int64_t ns(clockid_t clock)
{
	struct timespec ts;

	NEED(clock_gettime(clock, &ts) == 0);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}
int main(void)
{
	pthread_t t;
	struct rusage self, thread;
	int64_t from, idle;

	NEED(sem_init(&stop, 0, 0) == 0);
	t = start_thread(sleeper, NULL);
	until_sleeps(&idle_tid);
	from = ns(CLOCK_THREAD_CPUTIME_ID);
	idle = ns(idle_clock);
	while (ns(CLOCK_THREAD_CPUTIME_ID) - from < 30000000)
		;
	ASK(ns(idle_clock) - idle < 25000000);
	from = ns(CLOCK_THREAD_CPUTIME_ID);
	ASK(ns(CLOCK_PROCESS_CPUTIME_ID) >= from);
	SHOW(getrusage(RUSAGE_SELF, &self));
	SHOW(getrusage(RUSAGE_THREAD, &thread));
	ASK(self.ru_utime.tv_sec + self.ru_stime.tv_sec > 0 ||
		self.ru_utime.tv_usec + self.ru_stime.tv_usec >= 10000);
	sem_post(&stop);
	pthread_join(t, NULL);
	while (clock_gettime(idle_clock, &(struct timespec){0}) == 0)
		sched_yield(); /* joined, but not quite gone */
	SHOW(clock_gettime(idle_clock, &(struct timespec){0}));
	return 0;
}
