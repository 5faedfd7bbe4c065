/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool: profiles, each with a target of prepared shells of one kind. A take never waits for the refill, which begins one
 * preparation per turn of the loop and has REFILL_PARALLEL at most under way; none while VMs are on their way to readiness and
 * for a moment behind that, and one at a time when that takes longer than HOLD_NS. After failures it waits longer and longer.
 */
#ifndef DAEMON_POOL_H
#define DAEMON_POOL_H

#include "daemon/monitor/monitor.h"

#include <stdint.h>

#define POOL_PROFILES_MAX 16
#define POOL_DEFAULT      "default"
#define POOL_WAITING_MAX  1024 /* of one profile */

struct pools;
struct pool_waiter;

enum pool_exhausted { POOL_CREATE, POOL_REJECT, POOL_WAIT };
extern const char *const pool_exhausted_names[]; /* NULL behind the last */

struct pool_settings {
	unsigned target, memory_mib, vcpus;
	enum pool_exhausted on_exhausted;
	char kernel[KERNEL_NAME_BYTES]; /* "": the default one */
};

struct pool {
	char name[64];
	const struct monitor_ops *ops;
	struct pool_settings set;
	unsigned ready, preparing;
	uint64_t hits, misses, deaths;
	unsigned waiting;
	struct pool_waiter *waiters; /* who came first is first */
	char last_error[256];        /* of the refill; "" after a success */
	struct pool *next;
};

/* Makes the default profile from the configuration and begins to fill it. 0 or -errno with err. */
int pools_new(struct core *core, struct pools **pools, struct err *err);
/* Lets all shells go (they end later: core->shells). NULL is fine. */
void pools_free(struct pools *pools);
/* Lets all shells go and refills no more. */
void pools_stop(struct pools *pools);

struct pool *pools_first(const struct pools *pools);
struct pool *pools_find(const struct pools *pools, const char *name);
/* Makes the profile, or changes it. 0, or -E2BIG with err. */
int pools_set(struct pools *pools, const char *name, const struct pool_settings *settings,
	struct pool **pool, struct err *err);
/* What was prepared with the kernel of this name is let go. */
void pools_kernel_changed(struct pools *pools, const char *kernel);
void pools_delete(struct pools *pools, struct pool *pool);
/* Every profile has its target. */
bool pools_full(const struct pools *pools);

/*
 * A ready shell for the spec, oldest first: 1 and *shell, which has no owner now; 0: the caller may make one; -EBUSY: no
 * shell, and the profile says reject; -EINPROGRESS: no shell, and the profile says wait: see pools_wait(). A spec that no profile
 * fits is no miss.
 */
int pools_take(struct pools *pools, const struct shell_spec *spec, struct shell **shell);

/* Behind -EINPROGRESS: fn is called with the next shell that is free when it is the caller's turn, or with NULL when the profile
 * is deleted. NULL when POOL_WAITING_MAX wait already, or without memory. Once called the waiter is gone. */
typedef void pool_wait_fn(void *arg, struct shell *shell);
struct pool_waiter *pools_wait(
	struct pools *pools, const struct shell_spec *spec, pool_wait_fn *fn, void *arg);
void pools_wait_cancel(struct pool_waiter *waiter); /* NULL is fine */
/* How many preparations of any kind may be under way now, most at most: 0 while starts go first, and when to ask again. */
unsigned pools_parallel(struct pools *pools, unsigned most, int64_t *again_in_ns);
/* core->hurrying has become 0: the refill may go on soon. */
void pools_calm(struct pools *pools);

#endif
