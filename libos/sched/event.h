/* SPDX-License-Identifier: Apache-2.0 */
/* Events from the monitor: termination asked for, identity changed (abi/identity.h). */
#ifndef LIBOS_SCHED_EVENT_H
#define LIBOS_SCHED_EVENT_H

#include "abi/identity.h"

#include <stdbool.h>

/* page: the identity page, or NULL; then events is the word to look at. */
void event_init(struct uig_identity *page, uint32_t *events);

extern uint32_t *event_word;
static inline bool event_pending(void)
{
	return __atomic_load_n(event_word, __ATOMIC_RELAXED);
}
void event_handle(void);

/* Notes the time of a step, the first time; the identity page has them. */
void event_step(enum uig_step step);

/* The identity's entropy into the generator, its time into the clock; at boot and for each generation. */
void event_apply_identity(void);

#endif
