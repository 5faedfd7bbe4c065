/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls without the trap: a `syscall` instruction that was executed often becomes a jump to a stub, and the stub jumps to the libOS
 * (patch_code.h has the shapes and why they are safe). Only in private file pages that the program can execute and not write; the page
 * becomes a copy of the program's own. What the program sees of it: nothing but those bytes, if it reads its own code. Addresses in
 * signal frames are those of its code, never of a stub.
 */
#ifndef LIBOS_ARCH_PATCH_H
#define LIBOS_ARCH_PATCH_H

#include "libos/mem/uaccess.h"

#include <stdbool.h>

struct regs;

#define PATCH_AFTER 32u /* traps at one place: changing it costs as much as 10-20 of them */
#define PATCH_MAX   1000000u

/* after: how many traps make a place worth it; 0: nothing is ever changed. */
void patch_init(unsigned after);

/* A trap, with the registers as the instruction left them. True when its place was changed now: return by all registers. */
bool patch_count(const struct regs *regs);

/* Puts back what was there in [start, end), and whatever depends on memory there. To be called before the memory is taken away, moved, or
 * made writable. Nearly free when there is nothing. */
void patch_forget(uptr_t start, uptr_t end);

/* Goes up when stubs go away: a call that came through one and finds it changed returns to RIP itself. */
extern uint64_t patch_generation;

/* An address in a stub becomes the one in the program's code that means the same; others stay. */
uint64_t patch_true_rip(uint64_t rip);

/* #UD: at a byte that a patch left. The call is made, or RIP set, as if nothing had been patched; false: not ours. */
bool patch_invalid_opcode(struct regs *regs);

#endif
