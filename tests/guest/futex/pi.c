/* SPDX-License-Identifier: Apache-2.0 */
/* Priority-inheritance mutexes of the C library: they work, or are refused when they are made. */
#include "tests/guest/guest.h"

int main(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t m;
	int r;

	NEED(pthread_mutexattr_init(&attr) == 0);
	SHOW_ERR(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	SHOW_ERR(r = pthread_mutex_init(&m, &attr));
	if (r)
		return 0;
	SHOW_ERR(pthread_mutex_lock(&m));
	SHOW_ERR(pthread_mutex_trylock(&m));
	SHOW_ERR(pthread_mutex_unlock(&m));
	SHOW_ERR(pthread_mutex_destroy(&m));
	return 0;
}
