/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX timers (timer_create(2)), as far as signals and clocks have to know of them. */
#ifndef LIBOS_SCHED_POSIX_TIMER_H
#define LIBOS_SCHED_POSIX_TIMER_H

struct siginfo;

/* The signal of a timer (SI_TIMER) is taken out of its queue: fills in the overruns, and arms a periodic timer again. */
void posix_timer_taken(struct siginfo *info);
/* CLOCK_REALTIME has stepped. */
void posix_timers_clock_changed(void);

#endif
