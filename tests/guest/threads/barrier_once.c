/* SPDX-License-Identifier: Apache-2.0 */
/* Barriers, pthread_once, and keys with destructors. */
#include "tests/guest/guest.h"

static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int inits, serial, destroyed;
static void init(void)
{
	inits++;
	sleep_ms(5);
}
static void destroy(void *value)
{
	__atomic_add_fetch(&destroyed, (int)(intptr_t)value, __ATOMIC_SEQ_CST);
}
static void *run(void *arg)
{
	pthread_once(&once, init);
	pthread_setspecific(key, arg);
	for (int i = 0; i < 50; i++) {
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			__atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}
int main(void)
{
	pthread_t t[5];

	SHOW_ERR(pthread_barrier_init(&barrier, NULL, 0));
	NEED(pthread_barrier_init(&barrier, NULL, 5) == 0 &&
		pthread_key_create(&key, destroy) == 0);
	for (long i = 0; i < 5; i++)
		t[i] = start_thread(run, (void *)(i + 1));
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	say("inits %d, serial %d, destroyed %d\n", inits, serial, destroyed);
	return 0;
}
