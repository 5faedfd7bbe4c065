/* SPDX-License-Identifier: Apache-2.0 */
/* The first thread ends, the others run on, and the last one's exit status counts. */
#include "tests/guest/guest.h"

static pthread_t first;

static void *last(void *arg)
{
	SHOW_ERR(pthread_join(first, NULL));
	say("still running\n");
	exit(5);
}

int main(void)
{
	first = pthread_self();
	start_thread(last, NULL);
	pthread_exit(NULL);
}
