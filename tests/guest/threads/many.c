/* SPDX-License-Identifier: Apache-2.0 */
/* Hundreds of threads at once, and thousands one after the other. */
#include "tests/guest/guest.h"

static int counter;
static pthread_barrier_t barrier;
static void *wait_all(void *arg)
{
	pthread_barrier_wait(&barrier);
	__atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST);
	return NULL;
}
static void *once(void *arg)
{
	counter++;
	return NULL;
}
int main(void)
{
	enum { N = 300 };
	static pthread_t t[N];
	pthread_attr_t attr;

	NEED(pthread_attr_init(&attr) == 0 && pthread_attr_setstacksize(&attr, 65536) == 0);
	NEED(pthread_barrier_init(&barrier, NULL, N) == 0);
	for (int i = 0; i < N; i++)
		NEED(pthread_create(&t[i], &attr, wait_all, NULL) == 0);
	for (int i = 0; i < N; i++)
		NEED(pthread_join(t[i], NULL) == 0);
	say("%d\n", counter);
	counter = 0;
	for (int i = 0; i < 1000; i++) {
		NEED(pthread_create(&t[0], &attr, once, NULL) == 0);
		NEED(pthread_join(t[0], NULL) == 0);
	}
	say("%d\n", counter);
	return 0;
}
