/* SPDX-License-Identifier: Apache-2.0 */
/* Condition variables: time-outs by both clocks, bad times, the mutex held afterwards, broadcasts. */
#include "tests/guest/guest.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all = PTHREAD_COND_INITIALIZER;
static int waiting, go;

static void *waiter(void *arg)
{
	pthread_mutex_lock(&m);
	waiting++;
	while (!go)
		pthread_cond_wait(&all, &m);
	waiting--;
	pthread_mutex_unlock(&m);
	return NULL;
}
static void with(clockid_t clock)
{
	pthread_condattr_t a;
	pthread_cond_t c;
	struct timespec t, end;

	pthread_condattr_init(&a);
	SHOW_ERR(pthread_condattr_setclock(&a, clock));
	SHOW_ERR(pthread_cond_init(&c, &a));
	clock_gettime(clock, &t);
	t.tv_nsec += 10000000;
	if (t.tv_nsec >= 1000000000)
		t = (struct timespec){t.tv_sec + 1, t.tv_nsec - 1000000000};
	pthread_mutex_lock(&m);
	SHOW_ERR(pthread_cond_timedwait(&c, &m, &t));
	clock_gettime(clock, &end);
	ASK(end.tv_sec > t.tv_sec || (end.tv_sec == t.tv_sec && end.tv_nsec >= t.tv_nsec));
	SHOW_ERR(pthread_mutex_trylock(&m));
	t.tv_nsec = 1000000000;
	SHOW_ERR(pthread_cond_timedwait(&c, &m, &t));
	t = (struct timespec){0, 0};
	SHOW_ERR(pthread_cond_timedwait(&c, &m, &t));
	pthread_mutex_unlock(&m);
	SHOW_ERR(pthread_cond_destroy(&c));
}
int main(void)
{
	pthread_condattr_t a;
	pthread_t t[5];

	with(CLOCK_REALTIME);
	with(CLOCK_MONOTONIC);
	pthread_condattr_init(&a);
	SHOW_ERR(pthread_condattr_setclock(&a, CLOCK_PROCESS_CPUTIME_ID));
	for (int i = 0; i < 5; i++)
		t[i] = start_thread(waiter, NULL);
	for (int n = 0; n < 5; sched_yield()) {
		pthread_mutex_lock(&m);
		n = waiting;
		pthread_mutex_unlock(&m);
	}
	pthread_mutex_lock(&m);
	go = 1;
	SHOW_ERR(pthread_cond_broadcast(&all));
	pthread_mutex_unlock(&m);
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	say("waiting %d\n", waiting);
	return 0;
}
