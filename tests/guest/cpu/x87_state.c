/* SPDX-License-Identifier: Apache-2.0 */
/* The x87 stack and control word over calls and other threads. */
#include "tests/guest/guest.h"

static void *other(void *arg)
{
	volatile long double x = 1;

	for (int i = 0; i < 100; i++) {
		x = x * 1.5L + 2;
		sched_yield();
	}
	return NULL;
}
int main(void)
{
	pthread_t t = start_thread(other, NULL);
	long double in = 3.25L, out = 0;
	uint16_t cw = 0x0c7f, now = 0, normal = 0x037f;
	int wrong = 0;

	for (int i = 0; i < 100; i++) {
		long nr = SYS_sched_yield;

		__asm__ volatile("fldcw %3\n fldt %2\n syscall\n fstpt %1\n fnstcw %4\n fldcw %5"
				 : "+a"(nr), "=m"(out)
				 : "m"(in), "m"(cw), "m"(now), "m"(normal)
				 : "rcx", "r11", "memory");
		wrong += out != in || now != cw;
	}
	say("wrong %d\n", wrong);
	pthread_join(t, NULL);
	return 0;
}
