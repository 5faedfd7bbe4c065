/* SPDX-License-Identifier: Apache-2.0 */
/* A write without a reader ends the program by SIGPIPE; a thread's does too. */
#include "tests/guest/guest.h"

static int p[2];

static void *writer(void *arg)
{
	if (write(p[1], "x", 1) < 0)
		say("never here\n");
	return NULL;
}

int main(void)
{
	NEED(pipe(p) == 0);
	signal(SIGPIPE, SIG_IGN);
	close(p[0]);
	SHOW(write(p[1], "x", 1));
	signal(SIGPIPE, SIG_DFL);
	say("now by default\n");
	pthread_join(start_thread(writer, NULL), NULL);
	return 0;
}
