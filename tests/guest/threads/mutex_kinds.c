/* SPDX-License-Identifier: Apache-2.0 */
/* pthread mutexes: error checking, recursive, normal; trylock and timedlock. */
#include "tests/guest/guest.h"

static pthread_mutex_t m;

static void *other(void *arg)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	SHOW_ERR(pthread_mutex_trylock(&m));
	SHOW_ERR(pthread_mutex_timedlock(&m, &t));
	t.tv_nsec = -1;
	SHOW_ERR(pthread_mutex_timedlock(&m, &t));
	return NULL;
}
static void with(const char *name, int kind)
{
	pthread_mutexattr_t a;

	say("-- %s\n", name);
	pthread_mutexattr_init(&a);
	SHOW_ERR(pthread_mutexattr_settype(&a, kind));
	SHOW_ERR(pthread_mutex_init(&m, &a));
	SHOW_ERR(pthread_mutex_lock(&m));
	SHOW_ERR(pthread_mutex_trylock(&m));
	pthread_join(start_thread(other, NULL), NULL);
	if (kind != PTHREAD_MUTEX_NORMAL)
		SHOW_ERR(pthread_mutex_lock(&m));
	SHOW_ERR(pthread_mutex_unlock(&m));
	if (kind != PTHREAD_MUTEX_NORMAL)
		SHOW_ERR(pthread_mutex_unlock(&m));
	SHOW_ERR(pthread_mutexattr_destroy(&a));
}
int main(void)
{
	pthread_mutexattr_t a;

	with("normal", PTHREAD_MUTEX_NORMAL);
	with("recursive", PTHREAD_MUTEX_RECURSIVE);
	with("errorcheck", PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutexattr_init(&a);
	SHOW_ERR(pthread_mutexattr_settype(&a, 99));
	SHOW_ERR(pthread_mutexattr_setrobust(&a, 99));
	SHOW_ERR(pthread_mutexattr_setpshared(&a, 99));
	SHOW_ERR(pthread_mutexattr_setprotocol(&a, 99));
	return 0;
}
