/* SPDX-License-Identifier: Apache-2.0 */
/* pthread rwlocks and barriers: try, timed, wrong use, the one serial thread. */
#include "tests/guest/guest.h"

static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t b;
static int serial, passed;

static void *try(void *arg)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	SHOW_ERR(pthread_rwlock_tryrdlock(&l));
	SHOW_ERR(pthread_rwlock_trywrlock(&l));
	SHOW_ERR(pthread_rwlock_timedwrlock(&l, &t));
	return NULL;
}
static void *wait(void *arg)
{
	for (int i = 0; i < 10; i++) {
		int rc = pthread_barrier_wait(&b);

		if (rc == PTHREAD_BARRIER_SERIAL_THREAD)
			__atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
		else if (rc == 0)
			__atomic_add_fetch(&passed, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}
int main(void)
{
	struct timespec bad = {0, -1};
	pthread_t t[4];

	SHOW_ERR(pthread_rwlock_wrlock(&l));
	SHOW_ERR(pthread_rwlock_rdlock(&l));
	SHOW_ERR(pthread_rwlock_wrlock(&l));
	pthread_join(start_thread(try, NULL), NULL);
	SHOW_ERR(pthread_rwlock_unlock(&l));
	SHOW_ERR(pthread_rwlock_rdlock(&l));
	SHOW_ERR(pthread_rwlock_timedwrlock(&l, &bad));
	SHOW_ERR(pthread_rwlock_trywrlock(&l));
	SHOW_ERR(pthread_rwlock_unlock(&l));
	SHOW_ERR(pthread_barrier_init(&b, NULL, 0));
	SHOW_ERR(pthread_barrier_init(&b, NULL, 4));
	for (int i = 0; i < 4; i++)
		t[i] = start_thread(wait, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	say("%d %d\n", serial, passed);
	SHOW_ERR(pthread_barrier_destroy(&b));
	return 0;
}
