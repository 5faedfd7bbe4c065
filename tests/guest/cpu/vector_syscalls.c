/* SPDX-License-Identifier: Apache-2.0 */
/* The vector registers keep their values over system calls, faults and signals. */
#include "tests/guest/guest.h"

typedef long long v2 __attribute__((vector_size(16)));

static volatile int signals;

static void handler(int signo, siginfo_t *info, void *context)
{
	volatile double d = 3.0;

	__asm__ volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm7, %%xmm7\n\tpxor %%xmm15, %%xmm15" ::
				 : "xmm0", "xmm7", "xmm15");
	signals += d > 2;
}
/* Sets three registers, makes the call in the same piece of assembly, and reads them. */
static int kept(long number, long a, long b)
{
	v2 x = {number, 1}, y = {a, 2}, z = {b, 3}, rx, ry, rz;
	long rc = number;

	__asm__ volatile("movdqa %4, %%xmm0\n\tmovdqa %5, %%xmm7\n\tmovdqa %6, %%xmm15\n\t"
			 "syscall\n\t"
			 "movdqa %%xmm0, %1\n\tmovdqa %%xmm7, %2\n\tmovdqa %%xmm15, %3"
			 : "+a"(rc), "=m"(rx), "=m"(ry), "=m"(rz)
			 : "m"(x), "m"(y), "m"(z), "D"(a), "S"(b)
			 : "rcx", "r11", "memory", "xmm0", "xmm7", "xmm15");
	return memcmp(&x, &rx, 16) == 0 && memcmp(&y, &ry, 16) == 0 && memcmp(&z, &rz, 16) == 0;
}
int main(void)
{
	struct timespec t = {0, 1000000};
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int all = 1;

	on_signal(SIGUSR1, handler, 0);
	say("getppid %d\n", kept(SYS_getppid, 0, 0));
	say("nanosleep %d\n", kept(SYS_nanosleep, (long)&t, 0));
	say("sched_yield %d\n", kept(SYS_sched_yield, 0, 0));
	say("fresh page %d\n", kept(SYS_clock_gettime, CLOCK_MONOTONIC, (long)page));
	say("bad pointer %d\n", kept(SYS_clock_gettime, CLOCK_MONOTONIC, 8));
	say("no such call %d\n", kept(9999, 0, 0));
	say("signal %d\n", kept(SYS_kill, getpid(), SIGUSR1));
	for (int i = 0; i < 1000; i++)
		all &= kept(SYS_getppid, i, -i);
	say("many %d, signals %d\n", all, signals);
	return 0;
}
