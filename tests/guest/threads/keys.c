/* SPDX-License-Identifier: Apache-2.0 */
/* Thread-specific data: destructors, their rounds, limits, values of a new thread. */
#include "tests/guest/guest.h"

#include <limits.h>

static pthread_key_t key, again;
static int calls, rounds;

static void end(void *value)
{
	calls += (int)(long)value;
}
static void set_again(void *value)
{
	rounds++;
	pthread_setspecific(again, value);
}
static void *thread(void *arg)
{
	say("new thread: %d\n", pthread_getspecific(key) == NULL);
	pthread_setspecific(key, arg);
	pthread_setspecific(again, arg);
	return NULL;
}
int main(void)
{
	pthread_key_t many[PTHREAD_KEYS_MAX + 1];
	int n = 0, rc;

	SHOW_ERR(pthread_key_create(&key, end));
	SHOW_ERR(pthread_key_create(&again, set_again));
	SHOW_ERR(pthread_setspecific(key, (void *)100));
	for (long i = 1; i <= 4; i++)
		pthread_join(start_thread(thread, (void *)i), NULL);
	say("sum %d, rounds %d\n", calls, rounds);
	say("own %ld\n", (long)pthread_getspecific(key));
	SHOW_ERR(pthread_key_delete(key));
	SHOW_ERR(pthread_key_delete(key));
	SHOW_ERR(pthread_setspecific(key, NULL));
	while (n < PTHREAD_KEYS_MAX && (rc = pthread_key_create(&many[n], NULL)) == 0)
		n++;
	say("%d keys more, then %s\n", n > 100, errname(rc));
	return 0;
}
