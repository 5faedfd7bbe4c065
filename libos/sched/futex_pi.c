/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Futexes that know their owner (FUTEX_LOCK_PI of futex(2)): the word holds the owner's id and whether somebody waits. There is one scheduling
 * class, so nobody's priority has to be inherited; what is left is that the lock is handed to the first who waits, and never lost when
 * its owner dies. Nothing else runs between reading a word and writing it.
 */
#include "libos/klib/errno.h"
#include "libos/sched/futex.h"
#include "libos/sched/thread_impl.h"

#define TID_MASK   0x3fffffffu
#define OWNER_DIED 0x40000000u
#define WAITERS    0x80000000u

struct pi_waiter {
	struct list link; /* waiters, as they came */
	struct thread *thread;
	struct futex_key key;
	uptr_t addr;
	bool served;
	int result;
};

static struct list waiters = LIST_INIT(waiters);

static struct pi_waiter *first(const struct futex_key *key)
{
	list_for_each (w, &waiters, struct pi_waiter, link) {
		if (futex_same(&w->key, key))
			return w;
	}
	return NULL;
}

static uint32_t *word_at(uptr_t addr)
{
	return user_range(addr, sizeof(uint32_t), 1);
}

static void hand_over(struct pi_waiter *w, uint32_t died)
{
	uint32_t *word = word_at(w->addr);

	list_del(&w->link);
	w->served = true;
	w->result = word ? 0 : -EFAULT;
	if (word)
		*word = (uint32_t)thread_tid(w->thread) | died | (first(&w->key) ? WAITERS : 0);
	thread_wake(w->thread);
}

static long wait(uptr_t addr, const struct futex_key *key, uint64_t deadline)
{
	struct pi_waiter w = {.thread = current_thread, .key = *key, .addr = addr};
	int rc;

	list_add_tail(&waiters, &w.link);
	do {
		rc = thread_block(deadline, true);
	} while (rc == 0 && !w.served);
	if (w.served)
		return w.result;
	list_del(&w.link);
	return rc == -EINTR ? -ERESTARTNOINTR : rc;
}

long futex_lock_pi(uptr_t addr, bool shared, bool try, uint64_t deadline)
{
	uint32_t *word, owner, self = (uint32_t)thread_tid(current_thread);
	struct futex_key key;
	int rc = futex_key_of(addr, shared, &key);

	if (rc < 0)
		return rc;
	word = word_at(addr);
	if (!word)
		return -EFAULT;
	owner = *word & TID_MASK;
	if (owner == self)
		return -EDEADLK;
	if (!owner) {
		*word = (*word & OWNER_DIED) | self | (first(&key) ? WAITERS : 0);
		return 0;
	}
	if (!thread_exists((int)owner))
		return -ESRCH;
	if (try)
		return -EAGAIN;
	*word |= WAITERS;
	return wait(addr, &key, deadline);
}

long futex_unlock_pi(uptr_t addr, bool shared)
{
	struct futex_key key;
	struct pi_waiter *w;
	uint32_t *word;
	int rc = futex_key_of(addr, shared, &key);

	if (rc < 0)
		return rc;
	word = word_at(addr);
	if (!word)
		return -EFAULT;
	if ((*word & TID_MASK) != (uint32_t)thread_tid(current_thread))
		return -EPERM;
	w = first(&key);
	if (w)
		hand_over(w, 0);
	else
		*word = 0;
	return 0;
}

/* Robust lists have taken the owner out of their words already. */
void futex_pi_owner_exits(int tid)
{
	list_for_each_safe (w, &waiters, struct pi_waiter, link) {
		const uint32_t *word = word_at(w->addr);
		uint32_t owner = word ? *word & TID_MASK : 0;

		if (first(&w->key) == w &&
			(owner == (uint32_t)tid || (!owner && word && *word & OWNER_DIED)))
			hand_over(w, OWNER_DIED);
	}
}
