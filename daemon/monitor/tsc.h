/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frequency of the host's TSC, measured against CLOCK_MONOTONIC over the time since tsc_begin(). A QEMU guest without
 * KVM reads the host's TSC, and cannot measure it well by itself: it may lose the processor while it does.
 */
#ifndef DAEMON_MONITOR_TSC_H
#define DAEMON_MONITOR_TSC_H

#include <stdint.h>

/* Begins the measurement; once, early. */
void tsc_begin(void);
/* In kHz. Waits until there are 20 ms since tsc_begin() at least. */
uint64_t tsc_khz(void);

#endif
