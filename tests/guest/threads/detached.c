/* SPDX-License-Identifier: Apache-2.0 */
/* Detached threads, and what join says of threads that cannot be joined. */
#include "tests/guest/guest.h"

#include <semaphore.h>

static sem_t end[2]; /* one each: the first may not have taken its own when the second waits */

static void *sleeper(void *arg)
{
	NEED(sem_wait(arg) == 0);
	return NULL;
}
static void *value(void *arg)
{
	return arg;
}
static void *joins(void *arg)
{
	return (void *)(intptr_t)pthread_join(*(pthread_t *)arg, NULL);
}
int main(void)
{
	pthread_t t, self = pthread_self();
	void *r;

	NEED(sem_init(&end[0], 0, 0) == 0 && sem_init(&end[1], 0, 0) == 0);
	t = start_thread(sleeper, &end[0]);
	SHOW_ERR(pthread_detach(t));
	SHOW_ERR(pthread_join(t, NULL));
	sem_post(&end[0]);
	SHOW_ERR(pthread_join(self, NULL));
	t = start_thread(value, (void *)5);
	SHOW_ERR(pthread_join(t, &r));
	say("%ld\n", (long)r);
	t = start_thread(sleeper, &end[1]);
	{
		struct timespec past = {1, 0};

		SHOW_ERR(pthread_tryjoin_np(t, NULL));
		SHOW_ERR(pthread_timedjoin_np(t, NULL, &past));
	}
	sem_post(&end[1]);
	NEED(pthread_join(start_thread(joins, &t), &r) == 0);
	say("joined by another: %s\n", errname((int)(intptr_t)r));
	return 0;
}
