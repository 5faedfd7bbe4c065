/* SPDX-License-Identifier: Apache-2.0 */
/* Futexes inside the libOS: what the end of a thread needs (set_tid_address(2), robust lists). */
#ifndef LIBOS_SCHED_FUTEX_H
#define LIBOS_SCHED_FUTEX_H

#include "libos/mem/uaccess.h"

/* Wakes at most n (at least one) of the threads that wait at the address; returns how many. */
unsigned futex_wake_addr(uptr_t addr, unsigned n);

#endif
