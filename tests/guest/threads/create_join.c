/* SPDX-License-Identifier: Apache-2.0 */
/* Sixty-four threads at once, a thousand one after another, detached ones, and what they return. */
#include "tests/guest/guest.h"

static pthread_barrier_t all;
static int detached_done;

static void *meet(void *arg)
{
	pthread_barrier_wait(&all);
	return (void *)((intptr_t)arg * 2);
}

static void *add_one(void *arg)
{
	++*(int *)arg;
	return NULL;
}

static void *detached(void *arg)
{
	pthread_detach(pthread_self());
	__atomic_add_fetch(&detached_done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

int main(void)
{
	pthread_t thread[64];
	long sum = 0;
	int count = 0;

	pthread_barrier_init(&all, NULL, 64);
	for (long i = 0; i < 64; i++)
		thread[i] = start_thread(meet, (void *)i);
	for (int i = 0; i < 64; i++) {
		void *result;

		NEED(pthread_join(thread[i], &result) == 0);
		sum += (long)result;
	}
	SHOW(sum);
	for (int i = 0; i < 1000; i++)
		pthread_join(start_thread(add_one, &count), NULL);
	SHOW(count);
	for (int i = 0; i < 100; i++)
		start_thread(detached, NULL);
	while (__atomic_load_n(&detached_done, __ATOMIC_SEQ_CST) < 100)
		sched_yield();
	SHOW(detached_done);
	return 0;
}
