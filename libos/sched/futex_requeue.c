/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiters that go from one word to another (FUTEX_REQUEUE and its kind of futex(2)). With FUTEX_WAIT_REQUEUE_PI a waiter says ahead
 * which lock that knows its owner it is going to; FUTEX_CMP_REQUEUE_PI lets the first have it, if it is free, and queues the others for it.
 *
 *   in the bucket --requeued, lock is free--> served      in the bucket --time, signal--> gone
 *         +-------requeued, owned-> queued for the lock --handed over--> served;  --time, signal--> gone
 */
#include "libos/klib/errno.h"
#include "libos/sched/futex_impl.h"
#include "libos/sched/thread_impl.h"

/* The keys of both words, and whether the first is as expected (NULL: whatever it is). */
static int look(uptr_t addr, uptr_t addr2, bool shared, const uint32_t *expected,
	struct futex_key *key, struct futex_key *key2)
{
	uint32_t word;
	int r = futex_key_of(addr, shared, key);

	if (!r)
		r = futex_key_of(addr2, shared, key2);
	if (!r && expected)
		r = futex_read_word(addr, &word);
	if (r < 0)
		return r;
	return expected && word != *expected ? -EAGAIN : 0;
}

long futex_requeue(
	uptr_t addr, uptr_t addr2, bool shared, int nwake, int nmove, const uint32_t *expected)
{
	struct futex_key key, key2;
	int done = 0, r;

	if (nwake < 0 || nmove < 0)
		return -EINVAL;
	r = look(addr, addr2, shared, expected, &key, &key2);
	if (r < 0)
		return r;
	list_for_each_safe (w, futex_bucket(&key), struct futex_waiter, link) {
		if (!futex_same(&w->key, &key))
			continue;
		if (done >= (int64_t)nwake + nmove)
			break;
		if (w->pi)
			return -EINVAL;
		if (done++ < nwake) {
			futex_wake_one(w);
		} else if (!futex_same(&key, &key2)) {
			list_del(&w->link);
			w->key = key2;
			futex_enqueue(w);
		}
	}
	return done;
}

long futex_requeue_pi(
	uptr_t addr, uptr_t addr2, bool shared, int nwake, int nmove, uint32_t expected)
{
	struct futex_key key, key2;
	int done = 0, r;

	if (nwake != 1 || nmove < 0 || addr == addr2)
		return -EINVAL;
	r = look(addr, addr2, shared, &expected, &key, &key2);
	if (r < 0)
		return r;
	if (futex_same(&key, &key2))
		return -EINVAL;
	list_for_each_safe (w, futex_bucket(&key), struct futex_waiter, link) {
		if (!futex_same(&w->key, &key))
			continue;
		if (done > nmove) /* one more: the first may have been woken */
			break;
		if (!w->pi || !futex_same(&w->pi->key, &key2))
			return -EINVAL;
		r = futex_pi_take(w->pi);
		if (r < 0)
			return r;
		list_del(&w->link);
		done++;
	}
	return done;
}

long futex_wait_requeue_pi(
	uptr_t addr, uptr_t addr2, bool shared, uint32_t expected, uint64_t deadline)
{
	struct pi_waiter pi = {.thread = current_thread, .addr = addr2};
	struct futex_waiter w = {.thread = current_thread, .bitset = FUTEX_BITSET_ANY, .pi = &pi};
	int r;

	if (addr == addr2)
		return -EINVAL;
	r = look(addr, addr2, shared, &expected, &w.key, &pi.key);
	if (r < 0)
		return r;
	if (futex_same(&w.key, &pi.key))
		return -EINVAL;
	futex_enqueue(&w);
	do {
		r = thread_block(deadline, true);
	} while (r == 0 && !pi.served);
	if (pi.served)
		return pi.result;
	if (!pi.queued) {
		list_del(&w.link);
		return r == -EINTR ? -ERESTARTNOINTR : r;
	}
	futex_pi_leave(&pi);
	return r == -EINTR
		? -EAGAIN
		: r; /* the call can not begin again: who waits at the first word is another one now */
}
