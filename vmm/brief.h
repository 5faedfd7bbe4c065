/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a wait polls for a moment before it sleeps. Where the other side is a thread on another core, falling asleep and being woken costs some
 * 50 us on each side, so looking for as long as both is worth it when what one waits for comes within that time. It is a waste
 * when it does not: the processor may be the one that the other side needs. So it is done only while most waits end that soon: each that
 * does is a point, each that does not takes four. An instance that is idle, or that ticks, never polls.
 *
 *     points 0 .. BRIEF_FROM - 1: sleeps at once         BRIEF_FROM .. BRIEF_MOST: polls first
 */
#ifndef VMM_BRIEF_H
#define VMM_BRIEF_H

#include <stdbool.h>
#include <stdint.h>

#define BRIEF_NS    100000 /* how long is brief */
#define BRIEF_FROM  4
#define BRIEF_MOST  12
#define BRIEF_PRICE 4

struct brief {
	int points; /* 0 .. BRIEF_MOST */
};

static inline bool brief_pays(const struct brief *b)
{
	return b->points >= BRIEF_FROM;
}

/* Something has come; the wait for it took this long, polling and sleeping together. */
static inline void brief_note(struct brief *b, int64_t ns)
{
	b->points += ns <= BRIEF_NS ? 1 : -BRIEF_PRICE;
	b->points = b->points < 0 ? 0 : b->points > BRIEF_MOST ? BRIEF_MOST : b->points;
}

#endif
