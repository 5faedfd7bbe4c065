/* SPDX-License-Identifier: Apache-2.0 */
/* Cancellation in a blocking call, deferred by default, with clean-up handlers. */
#include "tests/guest/guest.h"

static int p[2];
static volatile bool cancelled;

static void cleanup(void *arg)
{
	say("clean-up of %s\n", (const char *)arg);
}

static void *blocked_in_read(void *arg)
{
	char c;

	pthread_cleanup_push(cleanup, (void *)(uintptr_t) "read");
	if (read(p[0], &c, 1) == 1)
		say("read returned\n");
	pthread_cleanup_pop(0);
	return NULL;
}

static void *deferred(void *arg)
{
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	*(volatile int *)arg = 1;
	while (!cancelled)
		sleep_ms(1);
	sleep_ms(1);
	say("not cancelled while disabled\n");
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
	pthread_testcancel();
	say("never here\n");
	return NULL;
}

int main(void)
{
	volatile int started = 0;
	pthread_t thread;
	void *result;

	NEED(pipe(p) == 0);
	thread = start_thread(blocked_in_read, NULL);
	sleep_ms(10);
	NEED(pthread_cancel(thread) == 0);
	pthread_join(thread, &result);
	ASK(result == PTHREAD_CANCELED);
	thread = start_thread(deferred, (void *)(uintptr_t)&started);
	while (!started)
		sched_yield();
	NEED(pthread_cancel(thread) == 0);
	cancelled = true;
	pthread_join(thread, &result);
	ASK(result == PTHREAD_CANCELED);
	return 0;
}
