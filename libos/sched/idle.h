/* SPDX-License-Identifier: Apache-2.0 */
/* What happens when no thread can run. */
#ifndef LIBOS_SCHED_IDLE_H
#define LIBOS_SCHED_IDLE_H

#include <stdbool.h>

/* Handles what devices, timers and the monitor have; with nothing there, sleeps until something comes. */
void idle(void);
/* True when a thread waits for its turn. */
bool sched_runnable(void);
/* The program goes on: hands to the devices what was queued for them, as far as each thinks it right now. */
void pollers_leave(void);

#endif
