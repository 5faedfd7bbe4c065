/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses handed out first in, first out, with a quarantine after use, so that a neighbour's stale ARP entry does
 * not lead to the wrong instance. Works on indices (see subnet.h); the time is the caller's.
 *
 *   FRESH --take--> USED --put--> QUARANTINE --(time) take--> USED
 */
#ifndef DAEMON_NETWORK_ADDRPOOL_H
#define DAEMON_NETWORK_ADDRPOOL_H

#include <stdint.h>

struct addrpool;

/* count addresses; an address rests quarantine_ns after use. 0 or -ENOMEM. */
int addrpool_new(uint32_t count, int64_t quarantine_ns, struct addrpool **pool);
void addrpool_free(struct addrpool *pool);

/* The address that rested longest. 0 and *index; -EAGAIN and *ready_ns (when the next one will have rested) while all are
 * used or resting; *ready_ns is INT64_MAX when all are used. */
int addrpool_take(struct addrpool *pool, int64_t now_ns, uint32_t *index, int64_t *ready_ns);
/* This very address, its quarantine notwithstanding. 0, -EBUSY when it is used, -ENOENT when there is none such. */
int addrpool_take_index(struct addrpool *pool, uint32_t index);
/* Gives a used address back. */
void addrpool_put(struct addrpool *pool, uint32_t index, int64_t now_ns);

uint32_t addrpool_used(const struct addrpool *pool);
uint32_t addrpool_count(const struct addrpool *pool);

#endif
