/* SPDX-License-Identifier: Apache-2.0 */
/* From an entry (entry.S, patch.c) to a call's function and back to the program. */
#ifndef LIBOS_SYS_DISPATCH_H
#define LIBOS_SYS_DISPATCH_H

struct regs;

/* regs as the syscall instruction leaves them: RCX is RIP, R11 the flags; error: where the short way back leads. Not 0: return by all
 * registers. syscall_trap(): the instruction trapped; it may be changed so that it does not the next time. */
int syscall_entry(struct regs *regs);
int syscall_trap(struct regs *regs);

#endif
