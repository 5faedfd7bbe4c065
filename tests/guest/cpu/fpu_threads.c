/* SPDX-License-Identifier: Apache-2.0 */
/* Each thread has its own vector registers, x87 stack and control words, kept over switches of every kind. */
#include "tests/guest/guest.h"

#include <math.h>

#define THREADS 12

static int ring[THREADS][2];

/* Waits in the kernel between two halves of a computation that stays in registers. */
static void *compute(void *arg)
{
	intptr_t n = (intptr_t)arg;
	uint32_t mxcsr = 0x1f80u | (uint32_t)(n % 4) << 13, mxcsr_after;
	uint16_t cw = (uint16_t)(0x037f | (n % 4) << 10), cw_after;
	long bad = 0;
	char c;

	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" ::"m"(mxcsr), "m"(cw));
	for (int i = 0; i < 100; i++) {
		uint64_t want = (uint64_t)n * 1000003 + (uint64_t)i, lo = 0, hi = 0;
		double in = (double)want, out = 0;
		long r = 0;

		NEED(n != 0 || write(ring[0][1], "x", 1) == 1);
		__asm__ volatile("movq %[want], %%xmm8\n\tmovq %[want], %%xmm15\n\tfldl %[in]\n\t"
				 "syscall\n\t"
				 "movq %%xmm8, %[lo]\n\tmovq %%xmm15, %[hi]\n\tfstpl %[out]"
				 : "=a"(r), [lo] "=&r"(lo), [hi] "=&r"(hi), [out] "=m"(out)
				 : "a"(SYS_read), "D"(ring[n][0]), "S"(&c),
				 "d"(1), [want] "r"(want), [in] "m"(in)
				 : "rcx", "r11", "memory", "xmm8", "xmm15");
		bad += r != 1 || lo != want || hi != want || out != in;
		if (n + 1 < THREADS)
			NEED(write(ring[n + 1][1], "x", 1) == 1);
		if (i % 10 == 0)
			sched_yield();
	}
	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr_after), "=m"(cw_after));
	bad += (mxcsr_after & ~0x3fu) != mxcsr || cw_after != cw;
	return (void *)bad;
}

static void *inherits(void *arg)
{
	uint32_t mxcsr;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	return (void *)(uintptr_t)(mxcsr & ~0x3fu);
}

static void *sum(void *arg)
{
	double s = 0;

	for (int i = 1; i < 3000000; i++)
		s += 1.0 / i * (double)(intptr_t)arg;
	return (void *)(uintptr_t)(s * 1000000);
}

int main(void)
{
	uint32_t down = 0x3f80;
	pthread_t thread[THREADS];
	long bad = 0;
	void *result;

	for (int i = 0; i < THREADS; i++)
		NEED(pipe(ring[i]) == 0);
	for (intptr_t i = 0; i < THREADS; i++)
		thread[i] = start_thread(compute, (void *)i);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &result);
		bad += (long)result;
	}
	SHOW(bad);
	/* Long computations, switched by the timer if at all. */
	for (intptr_t i = 0; i < 4; i++)
		thread[i] = start_thread(sum, (void *)(i + 1));
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &result);
		say("%lu\n", (unsigned long)result);
	}
	__asm__ volatile("ldmxcsr %0" ::"m"(down));
	pthread_join(start_thread(inherits, NULL), &result);
	say("mxcsr of a new thread: %lx\n", (unsigned long)result);
	return 0;
}
