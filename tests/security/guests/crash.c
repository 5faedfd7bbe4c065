/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that fail as programs do: the libOS answers with a signal, as Linux does. */
#include "hostile.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static int null(void)
{
	volatile int *volatile nowhere = (volatile int *)8;

	*nowhere = 1;
	return 0;
}

static int illegal(void)
{
	__asm__ volatile("ud2");
	return 0;
}

static int privileged(void)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(0ul));
	return 0;
}

static int port(void)
{
	__asm__ volatile("outb %b0, $0x64" : : "a"(0xfe));
	return 0;
}

static int divide(void)
{
	int result;

	__asm__ volatile("cltd; idivl %2" : "=a"(result) : "0"(1), "r"(0) : "edx", "cc");
	return result;
}

static int jump(void)
{
	__asm__ volatile("jmp *%0" : : "r"(0x1000ul));
	return 0;
}

static volatile int depth_max = 1 << 30;

static __attribute__((noinline)) int deeper(int depth)
{
	volatile char frame[4096];

	frame[0] = (char)depth;
	return depth < depth_max ? deeper(depth + 1) + frame[0] : 0;
}

static int overflow(void)
{
	return deeper(0);
}

static int no_stack(void)
{
	__asm__ volatile("xor %%esp, %%esp; push %%rax" : : : "memory");
	return 0;
}

static int aborts(void)
{
	abort();
}

static int spins(void)
{
	spin();
}

/* Neither the signal nor the end is wanted. */
static int spins_deaf(void)
{
	signal(SIGTERM, SIG_IGN);
	return spins();
}

static int sleeps_deaf(void)
{
	signal(SIGTERM, SIG_IGN);
	for (;;)
		pause();
	return 0;
}

const struct attack crash_attacks[] = {
	{"null", null},
	{"illegal", illegal},
	{"privileged", privileged},
	{"port", port},
	{"divide", divide},
	{"jump", jump},
	{"overflow", overflow},
	{"no-stack", no_stack},
	{"abort", aborts},
	{"spin", spins},
	{"spin-deaf", spins_deaf},
	{"sleep-deaf", sleeps_deaf},
	{0},
};
