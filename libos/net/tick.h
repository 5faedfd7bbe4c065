/* SPDX-License-Identifier: Apache-2.0 */
/* The timer of the stack. */
#ifndef LIBOS_NET_TICK_H
#define LIBOS_NET_TICK_H

/* An ARP request went out, or a fragment came in: lwIP's timers of a second run for so long. */
void net_tick_aux(unsigned seconds);
/* Runs the timers if they are due; for the end of the instance, when the scheduler's timers run no more. */
void net_tick_run(void);

#endif
