/* SPDX-License-Identifier: Apache-2.0 */
/* timerfd(2), as the clock sees it. */
#ifndef LIBOS_FS_TIMERFD_H
#define LIBOS_FS_TIMERFD_H

/* CLOCK_REALTIME stepped: timers with absolute times on it are armed anew. */
void timerfd_clock_changed(void);

#endif
