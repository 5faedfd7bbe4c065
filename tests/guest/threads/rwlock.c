/* SPDX-License-Identifier: Apache-2.0 */
/* Readers and writers: counts add up, time limits end. */
#include "tests/guest/guest.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static long a, b, bad;
static void *reader(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		pthread_rwlock_rdlock(&lock);
		bad += a != b;
		pthread_rwlock_unlock(&lock);
		if (i % 64 == 0)
			sched_yield();
	}
	return NULL;
}
static void *writer(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		pthread_rwlock_wrlock(&lock);
		a++;
		if (i % 16 == 0)
			sched_yield();
		b++;
		pthread_rwlock_unlock(&lock);
	}
	return NULL;
}
static void *limited(void *arg)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 20000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	SHOW_ERR(pthread_rwlock_timedrdlock(&lock, &ts));
	SHOW_ERR(pthread_rwlock_tryrdlock(&lock));
	return NULL;
}
int main(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		t[i] = start_thread(i < 2 ? reader : writer, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	say("%ld %ld bad %ld\n", a, b, bad);
	SHOW_ERR(pthread_rwlock_wrlock(&lock));
	pthread_join(start_thread(limited, NULL), NULL);
	SHOW_ERR(pthread_rwlock_unlock(&lock));
	return 0;
}
