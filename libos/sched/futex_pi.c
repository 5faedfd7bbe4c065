/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Futexes that know their owner (FUTEX_LOCK_PI of futex(2)): the word holds the owner's id and whether somebody waits. Priorities are
 * not inherited; what is left is that the lock is handed to the first who waits, and never lost when
 * its owner dies. Nothing else runs between reading a word and writing it.
 */
#include "libos/klib/errno.h"
#include "libos/sched/futex_impl.h"
#include "libos/sched/thread_impl.h"

#define TID_MASK   0x3fffffffu
#define OWNER_DIED 0x40000000u
#define WAITERS    0x80000000u

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

/* The word for the thread: 1, it has it; 0, it has to wait; or -errno. */
static int take(uint32_t *word, const struct futex_key *key, uint32_t tid)
{
	uint32_t owner = *word & TID_MASK;

	if (owner == tid)
		return -EDEADLK;
	if (!owner) {
		*word = (*word & OWNER_DIED) | tid | (first(key) ? WAITERS : 0);
		return 1;
	}
	return thread_exists((int)owner) ? 0 : -ESRCH;
}

static void enqueue(struct pi_waiter *w, uint32_t *word)
{
	*word |= WAITERS;
	w->queued = true;
	list_add_tail(&waiters, &w->link);
}

int futex_pi_take(struct pi_waiter *w)
{
	uint32_t *word = word_at(w->addr);
	int rc = word ? take(word, &w->key, (uint32_t)thread_tid(w->thread)) : -EFAULT;

	if (rc == 0)
		enqueue(w, word);
	if (rc <= 0)
		return rc;
	w->served = true;
	thread_wake(w->thread);
	return 1;
}

void futex_pi_leave(struct pi_waiter *w)
{
	list_del(&w->link);
}

long futex_lock_pi(uptr_t addr, bool shared, bool try, uint64_t deadline)
{
	struct pi_waiter w = {.thread = current_thread, .addr = addr};
	int rc = futex_key_of(addr, shared, &w.key);
	uint32_t *word;

	if (rc < 0)
		return rc;
	word = word_at(addr);
	if (!word)
		return -EFAULT;
	rc = take(word, &w.key, (uint32_t)thread_tid(current_thread));
	if (rc)
		return rc < 0 ? rc : 0;
	if (try)
		return -EAGAIN;
	enqueue(&w, word);
	do {
		rc = thread_block(deadline, true);
	} while (rc == 0 && !w.served);
	if (w.served)
		return w.result;
	futex_pi_leave(&w);
	return rc == -EINTR ? -ERESTARTNOINTR : rc;
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
