/* SPDX-License-Identifier: Apache-2.0 */
/* What happens when no thread can run. */
#ifndef LIBOS_SCHED_IDLE_H
#define LIBOS_SCHED_IDLE_H

#include "libos/sched/upcall.h"

#include <stdbool.h>

/* Handles what devices, timers and the monitor have; with nothing there, sleeps until something comes. */
void idle(void);
/* True when a thread waits for its turn. */
bool sched_runnable(void);
/* The program goes on: hands to the devices what was queued for them, as far as each thinks it right now. */
void pollers_leave(void);
/* A call or an upcall of the program, before all else: notes how long it went on by itself, if something was held back. */
void pollers_entered(void);
static inline void sched_enter(void)
{
	if (__builtin_expect(upcall_page->left != 0, 0))
		pollers_entered();
}

#endif
