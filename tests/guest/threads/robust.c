/* SPDX-License-Identifier: Apache-2.0 */
/* A robust mutex whose owner ends: EOWNERDEAD, repaired or lost for ever. */
#include "tests/guest/guest.h"

static pthread_mutex_t lost, repaired;
static void *holder(void *arg)
{
	NEED(pthread_mutex_lock(&lost) == 0 && pthread_mutex_lock(&repaired) == 0);
	return NULL;
}
static void *waiter(void *arg)
{
	int *r = arg;

	*r = pthread_mutex_lock(&repaired);
	if (*r == EOWNERDEAD)
		pthread_mutex_consistent(&repaired);
	pthread_mutex_unlock(&repaired);
	return NULL;
}
int main(void)
{
	pthread_mutexattr_t attr;
	int r = -1;

	NEED(pthread_mutexattr_init(&attr) == 0);
	SHOW_ERR(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	NEED(pthread_mutex_init(&lost, &attr) == 0 && pthread_mutex_init(&repaired, &attr) == 0);
	pthread_join(start_thread(holder, NULL), NULL);
	pthread_join(start_thread(waiter, &r), NULL);
	say("%s\n", errname(r));
	SHOW_ERR(pthread_mutex_lock(&repaired));
	SHOW_ERR(pthread_mutex_unlock(&repaired));
	SHOW_ERR(pthread_mutex_trylock(&lost));
	SHOW_ERR(pthread_mutex_unlock(&lost)); /* not made consistent */
	SHOW_ERR(pthread_mutex_lock(&lost));
	return 0;
}
