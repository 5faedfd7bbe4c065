/* SPDX-License-Identifier: Apache-2.0 */
/* When the last thread ends by pthread_exit, the process ends with status 0 and runs its atexit functions. */
#include "tests/guest/guest.h"

static void at_exit(void)
{
	say("atexit\n");
}

static void *other(void *arg)
{
	sleep_ms(5);
	say("other ends\n");
	return NULL;
}

int main(void)
{
	atexit(at_exit);
	start_thread(other, NULL);
	pthread_exit(NULL);
}
