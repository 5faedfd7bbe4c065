/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holding back what was queued for a device that WAIT lets work (platform_wait_serves()): the program goes on, and probably waits soon, which
 * hands it over without a kick. That is so for what answers something that has just come, for a bounded time, and not of a thread that
 * computes between its calls. For one that does so without being known for it the monitor hands it over: it sees since when the program is on
 * its own (`left`, abi/identity.h), and looks every half millisecond after something came.
 *
 * A kick wakes the monitor's device loop, which costs 40 us of the processor where KVM is software-virtualized; a batch of 16 requests takes
 * some 200. What is large is worth a kick: the device works on it meanwhile.
 */
#ifndef LIBOS_DRV_HOLD_H
#define LIBOS_DRV_HOLD_H

#include <stdbool.h>
#include <stdint.h>

struct hold {
	uint64_t since; /* when it was first held back, while `on` */
	bool on;
	bool large; /* among what the device was not told of */
};

/* Something has come, from whatever device: a frame is answered by a file's data, and a request to the disk comes of a frame. */
void hold_came(void);
/* The program goes on, and something is queued: true, it is held back (further). False: to be kicked now. */
bool hold_leave(struct hold *h, bool computes);
/* The device is told, or WAIT will let it work. */
static inline void hold_end(struct hold *h)
{
	h->on = h->large = false;
}

#endif
