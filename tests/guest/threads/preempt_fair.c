/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that only compute share the processor, and one that waits gets it in time. */
#include "tests/guest/guest.h"

static volatile int stop;
static volatile long work[3];
static void *spin(void *arg)
{
	volatile long *mine = arg;

	while (!stop)
		(*mine)++;
	return NULL;
}
int main(void)
{
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		t[i] = start_thread(spin, (void *)(uintptr_t)&work[i]);
	for (int i = 0; i < 10; i++)
		sleep_ms(5);
	while (!work[0] || !work[1] || !work[2])
		sleep_ms(5);
	stop = 1;
	for (int i = 0; i < 3; i++)
		SHOW_ERR(pthread_join(t[i], NULL));
	return 0;
}
