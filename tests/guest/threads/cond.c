/* SPDX-License-Identifier: Apache-2.0 */
/* Condition variables, read-write locks, semaphores, once. */
#include "tests/guest/guest.h"

#include <semaphore.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static int queue[8], head, tail;
static long consumed, woken, once_calls;
static bool go;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void *producer(void *arg)
{
	for (int i = 1; i <= 5000; i++) {
		pthread_mutex_lock(&mutex);
		while (head - tail == 8)
			pthread_cond_wait(&not_full, &mutex);
		queue[head++ % 8] = i;
		pthread_cond_signal(&not_empty);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void *consumer(void *arg)
{
	for (int i = 0; i < 5000; i++) {
		pthread_mutex_lock(&mutex);
		while (head == tail)
			pthread_cond_wait(&not_empty, &mutex);
		consumed += queue[tail++ % 8];
		pthread_cond_signal(&not_full);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void *wait_for_go(void *arg)
{
	pthread_mutex_lock(&mutex);
	while (!go)
		pthread_cond_wait(&not_empty, &mutex);
	woken++;
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void count_once(void)
{
	once_calls++;
}

static void *other(void *arg)
{
	pthread_once(&once, count_once);
	sem_wait(&sem);
	return (void *)(intptr_t)pthread_rwlock_trywrlock(&rwlock);
}

int main(void)
{
	pthread_t thread[20];
	struct timespec at = {0};
	void *result;

	thread[0] = start_thread(producer, NULL);
	thread[1] = start_thread(producer, NULL);
	thread[2] = start_thread(consumer, NULL);
	thread[3] = start_thread(consumer, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	SHOW(consumed);
	for (int i = 0; i < 20; i++)
		thread[i] = start_thread(wait_for_go, NULL);
	pthread_mutex_lock(&mutex);
	go = true;
	pthread_cond_broadcast(&not_empty);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 20; i++)
		pthread_join(thread[i], NULL);
	SHOW(woken);
	pthread_mutex_lock(&mutex);
	SHOW_ERR(pthread_cond_timedwait(&not_full, &mutex, &at));
	pthread_mutex_unlock(&mutex);
	sem_init(&sem, 0, 1);
	SHOW(sem_wait(&sem));
	SHOW(sem_trywait(&sem));
	SHOW(sem_timedwait(&sem, &at));
	SHOW_ERR(pthread_rwlock_rdlock(&rwlock));
	SHOW_ERR(pthread_rwlock_rdlock(&rwlock));
	SHOW_ERR(pthread_rwlock_trywrlock(&rwlock));
	thread[0] = start_thread(other, NULL);
	SHOW(sem_post(&sem));
	pthread_join(thread[0], &result);
	say("the other thread's write lock: %s\n", errname((int)(intptr_t)result));
	SHOW_ERR(pthread_once(&once, count_once));
	SHOW(once_calls);
	return 0;
}
