/* SPDX-License-Identifier: Apache-2.0 */
/* A handler may change the context, and what it does not change comes back: all registers, flags, vector and x87 state. */
#include "tests/guest/regs.h"

#include <math.h>
#include <ucontext.h>

DEFINE_RUN(run_ud2, "ud2");

static void skip_and_answer(int signo, siginfo_t *info, void *context)
{
	greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;
	volatile double d = signo;

	/* The handler uses what it likes. */
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n\tpcmpeqd %%xmm7, %%xmm7\n\tpcmpeqd %%xmm15, "
			 "%%xmm15\n\tcld\n\tclc" ::
				 : "xmm0", "xmm7", "xmm15", "cc");
	d = sqrt(d) * 3;
	say("  the handler sees rax %llx\n", gregs[REG_RAX]);
	gregs[REG_RIP] += 2; /* ud2 */
	gregs[REG_RAX] = 0x1234567890;
}

static void change_vector(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	uc->uc_mcontext.gregs[REG_RIP] += 2;
	memset(&uc->uc_mcontext.fpregs->_xmm[3], 0x33, 16);
}

int main(void)
{
	struct regs in, out;

	regs_fill(&in, 1);
	in.gpr[RAX] = 0xabcdef;
	on_signal(SIGILL, skip_and_answer, 0);
	run_ud2(&in, &out);
	say("%lx\n", out.gpr[RAX]);
	regs_compare(&in, &out, 1u << RAX);
	on_signal(SIGILL, change_vector, 0);
	run_ud2(&in, &out);
	ASK(all_bytes(out.xmm[3], 16, 0x33));
	memcpy(in.xmm[3], out.xmm[3], 16);
	regs_compare(&in, &out, 0);
	return 0;
}
