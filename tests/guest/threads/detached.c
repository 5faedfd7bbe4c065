/* SPDX-License-Identifier: Apache-2.0 */
/* Detached threads, and what join says of threads that cannot be joined. */
#include "tests/guest/guest.h"

static void *sleeper(void *arg)
{
	sleep_ms(30);
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
	pthread_t t = start_thread(sleeper, NULL), self = pthread_self();
	void *r;

	SHOW_ERR(pthread_detach(t));
	SHOW_ERR(pthread_join(t, NULL));
	SHOW_ERR(pthread_join(self, NULL));
	t = start_thread(value, (void *)5);
	SHOW_ERR(pthread_join(t, &r));
	say("%ld\n", (long)r);
	t = start_thread(sleeper, NULL);
	{
		struct timespec past = {1, 0};

		SHOW_ERR(pthread_tryjoin_np(t, NULL));
		SHOW_ERR(pthread_timedjoin_np(t, NULL, &past));
	}
	NEED(pthread_join(start_thread(joins, &t), &r) == 0);
	say("joined by another: %s\n", errname((int)(intptr_t)r));
	sleep_ms(40);
	return 0;
}
