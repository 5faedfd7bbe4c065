/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that waits for a robust mutex is woken when its owner ends. */
#include "tests/guest/guest.h"

static pthread_mutex_t m;
static pthread_barrier_t both;
static void *holder(void *arg)
{
	NEED(pthread_mutex_lock(&m) == 0);
	pthread_barrier_wait(&both);
	sleep_ms(20);
	return NULL;
}
int main(void)
{
	pthread_mutexattr_t attr;
	pthread_t t;

	NEED(pthread_mutexattr_init(&attr) == 0 &&
		pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) == 0);
	NEED(pthread_mutex_init(&m, &attr) == 0 && pthread_barrier_init(&both, NULL, 2) == 0);
	t = start_thread(holder, NULL);
	pthread_barrier_wait(&both);
	SHOW_ERR(pthread_mutex_lock(&m));
	SHOW_ERR(pthread_mutex_consistent(&m));
	SHOW_ERR(pthread_mutex_unlock(&m));
	pthread_join(t, NULL);
	return 0;
}
