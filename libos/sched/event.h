/* SPDX-License-Identifier: Apache-2.0 */
/* Events from the monitor: termination asked for, identity changed (abi/identity.h). */
#ifndef LIBOS_SCHED_EVENT_H
#define LIBOS_SCHED_EVENT_H

#include "abi/types.h"

#include <stdbool.h>

/* page: the identity page, or NULL; then events is the word to look at. */
struct uig_identity;
void event_init(struct uig_identity *page, uint32_t *events);

extern uint32_t *event_word;
static inline bool event_pending(void)
{
	return __atomic_load_n(event_word, __ATOMIC_RELAXED);
}
void event_handle(void);

/* The identity's entropy into the generator, its time into the clock; at boot and for each generation. */
void event_apply_identity(void);

#endif
