/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that spin on memory without a system call still let each other run. */
#include "tests/guest/guest.h"

#define ROUNDS 20

static volatile int turn;

static void *ping(void *arg)
{
	int me = (int)(intptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		while (turn != me)
			__builtin_ia32_pause();
		turn = 1 - me;
	}
	return NULL;
}

static void *spin_until(void *arg)
{
	while (!*(volatile int *)arg)
		__builtin_ia32_pause();
	return NULL;
}

int main(void)
{
	volatile int flag = 0;
	pthread_t a = start_thread(ping, (void *)0), b = start_thread(ping, (void *)1);

	pthread_join(a, NULL);
	pthread_join(b, NULL);
	say("%d rounds\n", ROUNDS);
	a = start_thread(spin_until, (void *)(uintptr_t)&flag);
	sleep_ms(5); /* a timer must fire while another thread spins */
	flag = 1;
	pthread_join(a, NULL);
	say("the sleeper woke\n");
	return 0;
}
