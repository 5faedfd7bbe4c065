/* SPDX-License-Identifier: Apache-2.0 */
/* _exit in a thread ends all: threads that sleep, read and spin; buffered output is lost. */
#include "tests/guest/guest.h"

static int p[2];

static void *reader(void *arg)
{
	char c;

	if (read(p[0], &c, 1) >= 0)
		say("never here\n");
	return NULL;
}

static void *spinner(void *arg)
{
	while (p[0] >= 0)
		__builtin_ia32_pause();
	return NULL;
}

static void *ender(void *arg)
{
	sleep_ms(10);
	say("ending\n");
	_exit(3);
}

int main(void)
{
	printf("lost in the buffer");
	NEED(pipe(p) == 0);
	start_thread(reader, NULL);
	start_thread(spinner, NULL);
	start_thread(ender, NULL);
	pause();
	return 0;
}
