/* SPDX-License-Identifier: Apache-2.0 */
/* The direction, overflow and alignment flags and the rounding modes over system calls and signals. */
#include "tests/guest/guest.h"

#include <fenv.h>
#include <immintrin.h>

static volatile unsigned in_handler;

static void handler(int signo, siginfo_t *info, void *context)
{
	in_handler = (unsigned)(__builtin_ia32_readeflags_u64() & 0x400);
	fesetround(FE_UPWARD);
}
int main(void)
{
	unsigned long flags;
	long rc = SYS_getppid;

	on_signal(SIGUSR1, handler, 0);
	__asm__ volatile("std\n\tsyscall\n\tpushfq\n\tpop %1\n\tcld"
			 : "+a"(rc), "=r"(flags)::"rcx", "r11", "memory", "cc");
	say("direction kept %d\n", (flags & 0x400) != 0);
	rc = SYS_kill;
	__asm__ volatile("std\n\tsyscall\n\tpushfq\n\tpop %1\n\tcld"
			 : "+a"(rc), "=r"(flags)
			 : "D"((long)getpid()), "S"((long)SIGUSR1)
			 : "rcx", "r11", "memory", "cc");
	say("in the handler %u, after it %d\n", in_handler, (flags & 0x400) != 0);
	rc = SYS_getppid;
	__asm__ volatile("movb $127, %%cl\n\taddb $1, %%cl\n\tsyscall\n\tpushfq\n\tpop %1"
			 : "+a"(rc), "=r"(flags)::"rcx", "r11", "memory", "cc");
	say("overflow kept %d\n", (flags & 0x800) != 0);
	SHOW(fesetround(FE_DOWNWARD));
	sched_yield();
	sleep_ms(1);
	SHOW(fegetround() == FE_DOWNWARD);
	SHOW(raise(SIGUSR1));
	SHOW(fegetround() == FE_DOWNWARD);
	_mm_setcsr(_mm_getcsr() | 0x8040);
	sleep_ms(1);
	say("%#x\n", _mm_getcsr() & 0x8040);
	return 0;
}
