/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupting the program: for timers that are due and for the other threads while it computes without making calls. The
 * monitor does it (struct uig_upcall in abi/identity.h), or the LAPIC timer of standard machines.
 */
#ifndef LIBOS_SCHED_UPCALL_H
#define LIBOS_SCHED_UPCALL_H

#include "abi/identity.h"

#include <stdbool.h>

struct regs;

/* Shared with the monitor; one of our own on standard machines. */
extern struct uig_upcall *upcall_page;
extern struct uig_upcall standard_upcall;

/* page: that of the identity, or NULL: a standard machine. */
void upcall_init(struct uig_upcall *page);
/* Asks for an upcall at this time (clock_mono_ns(), TIME_FOREVER: none). Cheap when nothing has changed. */
void upcall_set(uint64_t deadline);
/* What the program's flags have besides its own: IF and IOPL on standard machines, whose interrupts are taken in the program. */
extern uint64_t upcall_user_flags;

#endif
