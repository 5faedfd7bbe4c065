/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers in a pairing heap: the links are inside the timers, so arming never fails; set and run cost O(1) and O(log n) amortised.
 * prev points to the left sibling, or to the parent for a first child.
 */
#include "libos/klib/string.h"
#include "libos/sched/thread_impl.h"

static struct ktimer *root;
uint64_t ktimer_next = TIME_FOREVER;

static struct ktimer *meld(struct ktimer *a, struct ktimer *b)
{
	struct ktimer *t;

	if (!a)
		return b;
	if (!b)
		return a;
	if (b->deadline < a->deadline) {
		t = a;
		a = b;
		b = t;
	}
	b->prev = a;
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	a->child = b;
	return a;
}

/* Melds siblings pairwise from the left, then the results from the right. */
static struct ktimer *meld_siblings(struct ktimer *list)
{
	struct ktimer *pairs = NULL, *result = NULL;

	while (list) {
		struct ktimer *a = list, *b = a->next;

		list = b ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b)
			b->next = b->prev = NULL;
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct ktimer *next = pairs->next;

		pairs->next = NULL;
		result = meld(result, pairs);
		pairs = next;
	}
	return result;
}

static void detach(struct ktimer *t)
{
	if (t->prev->child == t)
		t->prev->child = t->next;
	else
		t->prev->next = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->next = t->prev = NULL;
}

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *))
{
	memset(t, 0, sizeof(*t));
	t->fn = fn;
}

bool ktimer_armed(const struct ktimer *t)
{
	return t->armed;
}

void ktimer_cancel(struct ktimer *t)
{
	struct ktimer *rest;

	if (!t->armed)
		return;
	t->armed = false;
	rest = meld_siblings(t->child);
	t->child = NULL;
	if (t == root) {
		root = rest;
	} else {
		detach(t);
		root = meld(root, rest);
	}
	ktimer_next = root ? root->deadline : TIME_FOREVER;
}

void ktimer_set(struct ktimer *t, uint64_t deadline)
{
	ktimer_cancel(t);
	t->deadline = deadline;
	t->armed = true;
	root = meld(root, t);
	ktimer_next = root->deadline;
}

uint64_t ktimer_run(void)
{
	uint64_t now;

	if (!root)
		return TIME_FOREVER;
	now = clock_mono_ns();
	while (root && root->deadline <= now) {
		struct ktimer *t = root;

		ktimer_cancel(t);
		t->fn(t);
	}
	return ktimer_next;
}
