/* SPDX-License-Identifier: Apache-2.0 */
/* sem_wait, sem_timedwait, sem_trywait between threads. */
#include "tests/guest/guest.h"

#include <semaphore.h>

static sem_t ping, pong;
static void *other(void *arg)
{
	for (int i = 0; i < 500; i++) {
		sem_wait(&ping);
		sem_post(&pong);
	}
	return NULL;
}
int main(void)
{
	struct timespec past = {1, 0}, bad = {1, -1};
	pthread_t t;
	int value;

	NEED(sem_init(&ping, 0, 0) == 0 && sem_init(&pong, 0, 0) == 0);
	t = start_thread(other, NULL);
	for (int i = 0; i < 500; i++) {
		sem_post(&ping);
		sem_wait(&pong);
	}
	SHOW_ERR(pthread_join(t, NULL));
	SHOW(sem_trywait(&ping));
	SHOW(sem_timedwait(&ping, &past));
	SHOW(sem_timedwait(&ping, &bad));
	SHOW(sem_post(&ping));
	SHOW(sem_getvalue(&ping, &value));
	say("%d\n", value);
	SHOW(sem_wait(&ping));
	return 0;
}
