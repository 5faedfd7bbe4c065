/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue's rules under any order of requests and any passing of time: pairs of bytes are a request and its argument. What
 * must hold whatever comes: no state is left but by its edges, the counts are those of the tasks, a task is leased once at a time, and a
 * stale token changes nothing.
 */
#include "lib/log.h"
#include "services/db/queue.h"
#include "services/db/sqlite_impl.h"

#include <errno.h>
#include <string.h>

#define TASKS 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct queue *q;
	int64_t now, id[TASKS];
	struct lease lease[TASKS];
	int n;
};

static void must(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static enum task_state state_of(struct run *r, int i)
{
	struct task t = {.state = TASK_DEAD};

	return queue_get(r->q, r->id[i], &t) == 0 ? t.state : TASK_DEAD;
}

static void create(struct run *r, uint8_t arg)
{
	static const char *const keys[] = {NULL, "a", "b", NULL};
	struct wish w = {
		.priority = arg % 10, .delay_ms = arg & 16 ? arg : 0, .key = keys[arg & 3]};
	enum task_state state;
	int64_t id;

	if (r->n == TASKS || queue_create(r->q, &w, r->now, &id, &state) < 0)
		return;
	for (int i = 0; i < r->n; i++) {
		if (r->id[i] == id) {
			must(w.key);
			return;
		}
	}
	r->id[r->n++] = id;
}

static void lease(struct run *r)
{
	struct lease l;

	if (queue_lease(r->q, "w", r->now, &l) < 0)
		return;
	must(l.expires_ms > r->now && strlen(l.token) == TOKEN_BYTES - 1);
	for (int i = 0; i < r->n; i++) {
		if (r->id[i] != l.id)
			continue;
		/* It had no other holder whose lease is good. */
		must(!r->lease[i].token[0] || strcmp(r->lease[i].token, l.token) != 0);
		r->lease[i] = l;
	}
}

static void change(struct run *r, uint8_t verb, int i)
{
	enum task_state before = state_of(r, i);
	const char *token = r->lease[i].token;
	struct lease l;
	int res;

	switch (verb) {
	case 0:
		queue_ready(r->q, r->id[i], r->now);
		return;
	case 1:
		res = queue_finish(r->q, r->id[i], token, r->now);
		must(res != 0 || before == TASK_LEASED || before == TASK_FINISHED);
		return;
	case 2:
		res = queue_fail(r->q, r->id[i], token, "no", r->now & 1, r->now);
		must(res != 0 || before == TASK_LEASED);
		return;
	case 3:
		if (queue_renew(r->q, r->id[i], token, r->now, &l) == 0)
			must(before == TASK_LEASED && l.expires_ms > r->now);
		return;
	default:
		must(queue_finish(r->q, r->id[i], "stale", r->now) != 0);
		must(state_of(r, i) == before);
		return;
	}
}

static void step(struct run *r, uint8_t verb, uint8_t arg)
{
	int64_t n;

	must(queue_begin(r->q) == 0);
	if (verb == 0)
		create(r, arg);
	else if (verb == 2)
		lease(r);
	else if (verb == 8) {
		r->now += arg * 10;
		must(queue_expire(r->q, r->now) == 0);
	} else if (verb == 9) {
		queue_dead_retry(r->q, -1, r->now, &n);
	} else if (verb == 10) {
		must(queue_commit(r->q) == 0);
	} else if (r->n)
		change(r, verb % 5, arg % r->n);
}

static void check_counts(struct run *r)
{
	int64_t counts[TASK_STATES], sum = 0;
	struct task t;
	int there = 0;

	must(queue_commit(r->q) == 0);
	must(queue_counts(r->q, counts) == 0);
	for (int s = 0; s < TASK_STATES; s++) {
		must(counts[s] >= 0);
		sum += counts[s];
	}
	for (int i = 0; i < r->n; i++)
		there += queue_get(r->q, r->id[i], &t) == 0;
	must(sum == there);
	must(queue_scan_steps(r->q) == 0);
}

/* One for all inputs, emptied each time: to make a database costs more than to use it. */
static struct queue *empty_queue(void)
{
	static const struct queue_config cfg = {.lease_ms = 1000,
		.orphan_ms = 3000,
		.backoff_ms = 100,
		.backoff_max_ms = 400,
		.keep_finished_ms = 5000,
		.max_attempts = 3,
		.max_tasks = 8,
		.max_dead = 2};
	static struct queue *q;
	static struct backend *b;
	struct err err = {0};

	if (!q) {
		log_init("fuzz", LOG_ERROR);
		must(sqlite_open(":memory:", &b, &err) == 0);
		must(queue_open(&cfg, b, 0, &q, &err) == 0);
	}
	must(sqlite3_exec(((struct sqlite *)b)->db, "DELETE FROM task", NULL, NULL, NULL) ==
		SQLITE_OK);
	must(sqlite_recount((struct sqlite *)b) == 0);
	return q;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int64_t now = 1;
	struct run r = {.q = empty_queue(), .now = now};

	for (size_t i = 0; i + 1 < size && i < 512; i += 2)
		step(&r, data[i] % 11, data[i + 1]);
	check_counts(&r);
	now = r.now;
	return 0;
}
