/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's registers as every entry leaves them at the top of the thread's libOS stack: system calls, exceptions and
 * new threads look alike, so that signals and traces need not care. entry.S knows this layout by the REGS_ numbers.
 */
#ifndef LIBOS_ARCH_REGS_H
#define LIBOS_ARCH_REGS_H

#define REGS_RCX    (12 * 8)
#define REGS_VECTOR (17 * 8)
#define REGS_RIP    (19 * 8)
#define REGS_RFLAGS (21 * 8)
#define REGS_RSP    (22 * 8)
#define REGS_BYTES  (24 * 8)
#define REGS_R11    (7 * 8)

#define VECTOR_SYSCALL 256
#define VECTOR_UPCALL  257

#define RFLAGS_TF   0x100
#define RFLAGS_IF   0x200
#define RFLAGS_IOPL 0x3000
#define RFLAGS_DF   0x400
#define RFLAGS_NT   0x4000
#define RFLAGS_AC   0x40000
/* What the program may set: CF PF AF ZF SF TF DF OF AC ID. */
#define RFLAGS_USER 0x240dd5
#define RFLAGS_ONE  0x2

#ifndef __ASSEMBLER__
#include "abi/types.h"

struct regs {
	uint64_t pad;
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t orig_rax; /* number of the system call; -1: an exception */
	uint64_t vector;   /* exception, or VECTOR_SYSCALL */
	uint64_t
		error; /* its error code; of a call: where the short way back leads, for RIP and RCX as they are */
	uint64_t rip, cs, rflags, rsp, ss;
};
ABI_ASSERT_SIZE(struct regs, REGS_BYTES);
ABI_ASSERT_OFFSET(struct regs, r11, REGS_R11);
ABI_ASSERT_OFFSET(struct regs, rcx, REGS_RCX);
ABI_ASSERT_OFFSET(struct regs, vector, REGS_VECTOR);
ABI_ASSERT_OFFSET(struct regs, rip, REGS_RIP);
ABI_ASSERT_OFFSET(struct regs, rflags, REGS_RFLAGS);
ABI_ASSERT_OFFSET(struct regs, rsp, REGS_RSP);
#endif
#endif
