/* SPDX-License-Identifier: Apache-2.0 */
/* Waiters at words, for futex.c, futex_requeue.c and futex_pi.c. A waiter lives on the stack of its thread. */
#ifndef LIBOS_SCHED_FUTEX_IMPL_H
#define LIBOS_SCHED_FUTEX_IMPL_H

#include "libos/klib/list.h"
#include "libos/sched/futex.h"

#define FUTEX_BITSET_ANY 0xffffffffu

/* Waits for a lock that knows its owner. */
struct pi_waiter {
	struct list link; /* of those, as they came */
	struct thread *thread;
	struct futex_key key; /* the lock's */
	uptr_t addr;
	bool queued; /* waits for the lock, or has waited */
	bool served; /* has it, or result says why not */
	int result;
};

/* Waits at a word. */
struct futex_waiter {
	struct list link; /* bucket of key */
	struct thread *thread;
	struct futex_key key;
	uint32_t bitset;
	bool woken;
	struct pi_waiter
		*pi; /* FUTEX_WAIT_REQUEUE_PI: the lock that it wants to have then; else NULL */
};

/* The list that has the waiters at a key, among others. */
struct list *futex_bucket(const struct futex_key *key);
/* The word's value; 0, -EINVAL (not aligned) or -EFAULT. */
int futex_read_word(uptr_t addr, uint32_t *word);
/* Puts w, whose key and thread are set, into its bucket. */
void futex_enqueue(struct futex_waiter *w);
/* Takes w out of its bucket, and its thread goes on. */
void futex_wake_one(struct futex_waiter *w);

/* Takes the lock for w's thread: 1, it has it and goes on; 0, it is queued for it; -EDEADLK, -ESRCH, -EFAULT. */
int futex_pi_take(struct pi_waiter *w);
/* w is queued, and does not wait any more. */
void futex_pi_leave(struct pi_waiter *w);

#endif
