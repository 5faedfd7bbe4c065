/* SPDX-License-Identifier: Apache-2.0 */
/* Mutexes: contention, kinds, time limits, an owner that died. */
#include "tests/guest/guest.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t special;
static long counter;

static void *add(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
		if (i % 100 == 0)
			sched_yield();
	}
	return NULL;
}

static void *try(void *arg)
{
	return (void *)(intptr_t)pthread_mutex_trylock(arg);
}

static void *lock_and_die(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

static void make(int type, int robust)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type);
	if (robust)
		pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	NEED(pthread_mutex_init(&special, &attr) == 0);
}

int main(void)
{
	struct timespec at;
	pthread_t thread[8];
	void *result;
	int64_t from;

	for (int i = 0; i < 8; i++)
		thread[i] = start_thread(add, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	SHOW(counter);
	SHOW_ERR(pthread_mutex_lock(&mutex));
	SHOW_ERR(pthread_mutex_trylock(&mutex));
	pthread_join(start_thread(try, &mutex), &result);
	say("from another thread: %s\n", errname((int)(intptr_t)result));
	from = now_ns();
	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += 10000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	SHOW_ERR(pthread_mutex_timedlock(&mutex, &at));
	ASK(now_ns() - from >= 9000000);
	SHOW_ERR(pthread_mutex_unlock(&mutex));
	make(PTHREAD_MUTEX_RECURSIVE, 0);
	SHOW_ERR(pthread_mutex_lock(&special));
	SHOW_ERR(pthread_mutex_lock(&special));
	SHOW_ERR(pthread_mutex_unlock(&special));
	SHOW_ERR(pthread_mutex_unlock(&special));
	make(PTHREAD_MUTEX_ERRORCHECK, 0);
	SHOW_ERR(pthread_mutex_lock(&special));
	SHOW_ERR(pthread_mutex_lock(&special));
	SHOW_ERR(pthread_mutex_unlock(&special));
	SHOW_ERR(pthread_mutex_unlock(&special));
	make(PTHREAD_MUTEX_NORMAL, 1);
	pthread_join(start_thread(lock_and_die, &special), NULL);
	SHOW_ERR(pthread_mutex_lock(&special));
	SHOW_ERR(pthread_mutex_consistent(&special));
	SHOW_ERR(pthread_mutex_unlock(&special));
	SHOW_ERR(pthread_mutex_lock(&special));
	return 0;
}
