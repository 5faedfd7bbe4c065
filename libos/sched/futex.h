/* SPDX-License-Identifier: Apache-2.0 */
/* Futexes inside the libOS: what the end of a thread needs (set_tid_address(2), robust lists), and those that know their owner (futex_pi.c). */
#ifndef LIBOS_SCHED_FUTEX_H
#define LIBOS_SCHED_FUTEX_H

#include "libos/mem/uaccess.h"

#include <stdbool.h>

/* Wakes at most n (at least one) of the threads that wait at the address; returns how many. */
unsigned futex_wake_addr(uptr_t addr, unsigned n);

/* What a word is known by: an address, or its place in a file that is mapped shared. */
struct inode;
struct futex_key {
	const struct inode *inode; /* NULL: at is an address */
	uint64_t at;
};
bool futex_same(const struct futex_key *a, const struct futex_key *b);
/* 0, -EINVAL (not aligned) or -EFAULT. */
int futex_key_of(uptr_t addr, bool shared, struct futex_key *key);

/* FUTEX_REQUEUE, FUTEX_CMP_REQUEUE (expected not NULL): wakes nwake of the waiters at addr and moves nmove others to addr2; returns both
 * together, as Linux does, or -errno. */
long futex_requeue(
	uptr_t addr, uptr_t addr2, bool shared, int nwake, int nmove, const uint32_t *expected);
/* FUTEX_CMP_REQUEUE_PI: gives the lock at addr2 to the first, and queues nmove others for it; how many in all, or -errno. */
long futex_requeue_pi(
	uptr_t addr, uptr_t addr2, bool shared, int nwake, int nmove, uint32_t expected);
/* FUTEX_WAIT_REQUEUE_PI: 0, the lock at addr2 is the caller's; or -errno. May block. */
long futex_wait_requeue_pi(
	uptr_t addr, uptr_t addr2, bool shared, uint32_t expected, uint64_t deadline);

/* FUTEX_LOCK_PI, FUTEX_TRYLOCK_PI (try) and FUTEX_UNLOCK_PI: 0 or -errno. */
long futex_lock_pi(uptr_t addr, bool shared, bool try, uint64_t deadline);
long futex_unlock_pi(uptr_t addr, bool shared);
/* The thread ends: what it holds goes to who waits, marked. */
void futex_pi_owner_exits(int tid);

#endif
