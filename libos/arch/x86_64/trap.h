/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions, and the way back to the program. */
#ifndef LIBOS_ARCH_TRAP_H
#define LIBOS_ARCH_TRAP_H

#include "libos/arch/x86_64/regs.h"

#include <stdbool.h>

/* Entered from entry.S. */
void exception_entry(struct regs *regs);
_Noreturn void exception_fatal(const struct regs *regs);
void user_return_prepare(struct regs *regs);

/* All that has to be done before the program goes on with regs; true when it has to be by all registers (iretq). */
bool user_return(struct regs *regs);

_Noreturn void regs_enter(struct regs *regs);

/* A place in the libOS that may fault on the program's memory, and where to go on then (section .extable). */
struct extable {
	uint64_t fault, fixup;
};

#endif
