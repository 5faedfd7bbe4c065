/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handler that uses all vector registers changes none of the interrupted program's; what it
 * writes into the frame counts.
 */
#include "tests/guest/guest.h"

#include <ucontext.h>

static int change;
static void handler(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	__asm__ volatile(
		"pcmpeqd %%xmm0, %%xmm0\n movdqa %%xmm0, %%xmm7\n movdqa %%xmm0, %%xmm15\n fninit"
		:
		:
		: "xmm0", "xmm7", "xmm15");
	if (change)
		memset(&uc->uc_mcontext.fpregs->_xmm[7], 0x5a, 16);
}
static void round_trip(const char *what)
{
	unsigned char a[16], b[16], c[16];
	uint16_t cw = 0x0f7f, cw2 = 0;
	uint32_t mxcsr = 0x3f80, mxcsr2 = 0, normal = 0x1f80;
	long nr = SYS_kill, pid = getpid(), signo = SIGUSR1;

	memset(a, 0x11, 16);
	__asm__ volatile("fldcw %3\n ldmxcsr %4\n movdqu %5, %%xmm0\n movdqu %5, %%xmm7\n movdqu "
			 "%5, %%xmm15\n"
			 "syscall\n movdqu %%xmm0, %1\n movdqu %%xmm7, %2\n fnstcw %6\n stmxcsr "
			 "%7\n ldmxcsr %8\n fninit"
			 : "+a"(nr), "=m"(b), "=m"(c)
			 : "m"(cw), "m"(mxcsr), "m"(a), "m"(cw2), "m"(mxcsr2), "m"(normal),
			 "D"(pid), "S"(signo)
			 : "rcx", "r11", "memory", "xmm0", "xmm7", "xmm15");
	say("%s: xmm0 %02x xmm7 %02x cw %04x mxcsr %04x\n", what, b[0], c[5], cw2, mxcsr2);
}
int main(void)
{
	on_signal(SIGUSR1, handler, 0);
	round_trip("kept");
	change = 1;
	round_trip("changed");
	return 0;
}
