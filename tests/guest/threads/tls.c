/* SPDX-License-Identifier: Apache-2.0 */
/* Thread-local storage: initial values, alignment, keys and their destructors, errno. */
#include "tests/guest/guest.h"

static __thread int initialised = 42;
static __thread char zeroed[1000];
static __thread struct {
	int x;
} aligned __attribute__((aligned(64))) = {7};
static pthread_key_t key;
static int destroyed;

static void destroy(void *value)
{
	__atomic_add_fetch(&destroyed, (int)(intptr_t)value, __ATOMIC_SEQ_CST);
}

static void *thread(void *arg)
{
	intptr_t n = (intptr_t)arg;
	long bad = 0;

	bad += initialised != 42 || !all_bytes(zeroed, sizeof(zeroed), 0) || aligned.x != 7 ||
		(uintptr_t)&aligned % 64;
	initialised = (int)n;
	memset(zeroed, (int)n, sizeof(zeroed));
	pthread_setspecific(key, (void *)n);
	for (int i = 0; i < 200; i++) {
		if (close(-1) == 0 || errno != EBADF)
			bad++;
		errno = (int)n;
		sched_yield();
		bad += errno != n;
		bad += initialised != n || !all_bytes(zeroed, sizeof(zeroed), (unsigned char)n);
		bad += pthread_getspecific(key) != (void *)n;
	}
	return (void *)bad;
}

int main(void)
{
	pthread_t threads[16];
	long bad = 0;

	NEED(pthread_key_create(&key, destroy) == 0);
	for (intptr_t i = 0; i < 16; i++)
		threads[i] = start_thread(thread, (void *)(i + 1));
	for (int i = 0; i < 16; i++) {
		void *result;

		pthread_join(threads[i], &result);
		bad += (long)result;
	}
	SHOW(bad);
	SHOW(destroyed);
	SHOW(initialised);
	return 0;
}
