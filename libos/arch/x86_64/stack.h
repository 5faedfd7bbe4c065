/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks of the libOS, one a thread: 16 KiB below an unmapped guard, in a window of their own. */
#ifndef LIBOS_ARCH_STACK_H
#define LIBOS_ARCH_STACK_H

#include "abi/types.h"

#include <stdbool.h>

#define STACK_BYTES 0x4000ull

/* Read by entry.S: the top of the running thread's stack, and how far down from it a fault of the libOS may lie. */
extern uint64_t cur_kstack_top, cur_kstack_room;

/* One past the last byte (16-byte aligned), or 0 when memory or the window is used up. */
uint64_t stack_alloc(void);
void stack_free(uint64_t top);
/* Two words at p can be read: p is on the running stack. */
bool stack_contains(const void *p);

#endif
