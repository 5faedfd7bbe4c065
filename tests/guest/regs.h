/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All registers of a program at one instruction: DEFINE_RUN(name, "insn") makes name(in, out), which loads the general registers
 * (not rsp) and xmm0-15 from in, sets the carry flag, executes insn, and stores what is there afterwards in out.
 */
#ifndef TESTS_GUEST_REGS_H
#define TESTS_GUEST_REGS_H

#include "tests/guest/guest.h"

enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, R8, R9, R10, R11, R12, R13, R14, R15, NREGS };

static const char *const reg_names[NREGS] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8",
	"r9", "r10", "r11", "r12", "r13", "r14", "r15"};

struct regs {
	uint64_t gpr[NREGS];
	uint64_t flags;
	uint8_t xmm[16][16]; /* at byte 128 */
};

#define REGS_XMM_LOAD(n)  "movdqu 128+16*" #n "(%rdi), %xmm" #n "\n"
#define REGS_XMM_STORE(n) "movdqu %xmm" #n ", 128+16*" #n "(%rdi)\n"
#define REGS_16(x)                                                                                 \
	x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11) x(12) x(13) x(14) x(15)
#define REGS_GPR(x)                                                                                \
	x(0, rax) x(1, rbx) x(2, rcx) x(3, rdx) x(4, rsi) x(6, rbp) x(7, r8) x(8, r9) x(9, r10)    \
		x(10, r11) x(11, r12) x(12, r13) x(13, r14) x(14, r15)
#define REGS_LOAD(n, reg)  "mov 8*" #n "(%rdi), %" #reg "\n"
#define REGS_STORE(n, reg) "mov %" #reg ", 8*" #n "(%rdi)\n"

#define DEFINE_RUN(name, insn)                                                                     \
	void name(const struct regs *in, struct regs *out);                                        \
	__asm__(".pushsection .text\n" #name ":\n"                                                 \
		"push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\npush "          \
		"%rsi\n" REGS_16(REGS_XMM_LOAD) REGS_GPR(                                          \
			REGS_LOAD) "mov 40(%rdi), %rdi\n"                                          \
				   "stc\n" insn "\n"                                               \
				   "push %rdi\npushfq\nmov 16(%rsp), %rdi\n" REGS_GPR(REGS_STORE)  \
					   REGS_16(REGS_XMM_STORE) "pop 120(%rdi)\npop 40(%rdi)\n" \
								   "pop %rsi\npop %r15\npop "      \
								   "%r14\npop %r13\npop "          \
								   "%r12\npop %rbp\npop %rbx\n"    \
								   "ret\n.popsection\n")

static MAY_BE_UNUSED void regs_fill(struct regs *regs, uint32_t seed)
{
	fill_pattern(regs, sizeof(*regs), seed);
}

/* Names the registers that differ, but for those of the mask may_differ (bit n: gpr[n]). */
static MAY_BE_UNUSED void regs_compare(
	const struct regs *in, const struct regs *out, unsigned may_differ)
{
	for (int i = 0; i < NREGS; i++) {
		if (in->gpr[i] != out->gpr[i] && !(may_differ & 1u << i))
			say("  %s changed\n", reg_names[i]);
	}
	for (int i = 0; i < 16; i++) {
		if (memcmp(in->xmm[i], out->xmm[i], 16) != 0)
			say("  xmm%d changed\n", i);
	}
	say("  carry %lu, direction %lu\n", out->flags & 1, out->flags >> 10 & 1);
}

#endif
