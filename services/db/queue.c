/* SPDX-License-Identifier: Apache-2.0 */
#include "services/db/queue.h"

#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#define EXPIRE_BATCH 256

struct queue {
	struct queue_config cfg;
	struct backend *b; /* owned */
	const struct backend_ops *ops;
	bool open;
	bool lasting, unsynced; /* the open transaction; committed ones */
	int64_t next_due;       /* nothing is due before; -1: ask */
	uint64_t random;
	struct queue_stats stats;
};

const char *queue_error(const struct queue *q)
{
	return q->ops->error(q->b);
}

const char *queue_backend(const struct queue *q)
{
	return q->ops->name;
}

bool queue_shared(const struct queue *q)
{
	return q->ops->shared;
}

struct queue_stats queue_stats(const struct queue *q)
{
	return q->stats;
}

uint64_t queue_scan_steps(const struct queue *q)
{
	return q->ops->scan_steps ? q->ops->scan_steps(q->b) : 0;
}

int queue_counts(struct queue *q, int64_t counts[TASK_STATES])
{
	return q->ops->counts(q->b, counts);
}

int64_t queue_count(struct queue *q, enum task_state state)
{
	int64_t counts[TASK_STATES];

	return queue_counts(q, counts) < 0 ? -1 : counts[state + 1];
}

int64_t queue_oldest_ms(struct queue *q, int64_t now)
{
	int64_t since;

	return q->ops->oldest(q->b, &since) == 0 && since < now ? now - since : 0;
}

bool queue_news(struct queue *q)
{
	return q->ops->news && q->ops->news(q->b);
}

/* --- life ------------------------------------------------------------------------------------------------------------ */
int queue_open(const struct queue_config *config, struct backend *b, int64_t now,
	struct queue **out, struct err *err)
{
	struct queue *q = calloc(1, sizeof(*q));
	int r;

	if (!q) {
		b->ops->close(b);
		return err_set(err, ENOMEM, "out of memory");
	}
	*q = (struct queue){.cfg = *config, .b = b, .ops = b->ops, .next_due = -1};
	if (getrandom(&q->random, sizeof(q->random), GRND_NONBLOCK) != sizeof(q->random))
		q->random = (uint64_t)now;
	/* Leases survive a restart, but none for longer than a lease is: the clock may have been wrong before. */
	r = queue_begin(q) ?: q->ops->clip_leases(b, now + config->lease_ms) ?: queue_commit(q);
	if (r < 0) {
		r = err_set(err, -r, "cannot open the queue: %s", queue_error(q));
		queue_close(q);
		return r;
	}
	*out = q;
	return 0;
}

void queue_close(struct queue *q)
{
	if (!q)
		return;
	q->ops->close(q->b);
	free(q);
}

bool queue_is_open(const struct queue *q)
{
	return q->open;
}

int queue_begin(struct queue *q)
{
	int r = q->open ? 0 : q->ops->begin(q->b);

	if (r == 0)
		q->open = true;
	return r;
}

int queue_commit(struct queue *q)
{
	int r;

	if (!q->open)
		return 0;
	queue_must_last(q);
	q->open = false;
	r = q->ops->commit(q->b, q->lasting);
	if (r < 0) {
		q->stats.rollbacks++;
		q->next_due = -1;
	} else {
		q->stats.commits++;
		q->unsynced |= q->lasting;
	}
	q->lasting = false;
	return r;
}

bool queue_must_last(struct queue *q)
{
	bool last = q->b->must_last;

	q->b->must_last = false;
	q->lasting |= last && q->open;
	return last;
}

bool queue_unsynced(struct queue *q)
{
	bool unsynced = q->unsynced;

	q->unsynced = false;
	return unsynced;
}

int queue_sync_fd(struct queue *q)
{
	return q->ops->sync_fd ? q->ops->sync_fd(q->b) : -ENODATA;
}

void queue_synced(struct queue *q)
{
	if (q->ops->synced)
		q->ops->synced(q->b);
}

/* --- one task -------------------------------------------------------------------------------------------------------- */
static uint64_t chance(struct queue *q)
{
	q->random = q->random * 6364136223846793005ull + 1442695040888963407ull;
	return q->random >> 33;
}

/* Keeps next_due a lower bound. */
static void note_due(struct queue *q, const struct task *t)
{
	bool timed =
		t->state == TASK_CREATED || t->state == TASK_LEASED || t->state == TASK_DELAYED;

	if (timed && q->next_due >= 0 && t->due_ms < q->next_due)
		q->next_due = t->due_ms;
}

static int move(struct queue *q, struct task *t, enum task_state to, int64_t due_ms, int64_t now)
{
	enum task_state from = t->state;
	int r;

	t->state = to;
	t->due_ms = due_ms;
	t->since_ms = now;
	r = q->ops->store(q->b, t, from);
	if (r == 0)
		note_due(q, t);
	return r;
}

static int make_ready(struct queue *q, struct task *t, int64_t now)
{
	return move(q, t, TASK_READY, -t->priority, now);
}

/* The task of a key that is there already. */
static int find_again(struct queue *q, const char *key, int64_t *id, enum task_state *state)
{
	struct task t;
	int r = q->ops->find(q->b, key, id);

	if (r == 0)
		r = q->ops->load(q->b, *id, true, &t);
	if (r == 0)
		*state = t.state;
	q->b->must_last |= r == 0 && t.state != TASK_CREATED; /* it was accepted before */
	return r;
}

int queue_create(
	struct queue *q, const struct wish *wish, int64_t now, int64_t *id, enum task_state *state)
{
	static const struct wish plain;
	const struct wish *w = wish ?: &plain;
	struct task t = {.state = TASK_CREATED,
		.due_ms = now + q->cfg.orphan_ms,
		.since_ms = now,
		.priority = w->priority,
		.start_ms = w->delay_ms ? now + w->delay_ms : 0};
	int r;

	snprintf(t.key, sizeof(t.key), "%s", w->key ?: "");
	snprintf(t.params, sizeof(t.params), "%s", w->params ?: "");
	if (t.key[0]) {
		r = find_again(q, t.key, id, state);
		if (r != -ENOENT)
			return r;
	}
	/* Two for each new one: old finished tasks go faster than new ones come, and nothing ever waits for a clean-up. */
	r = q->ops->purge(q->b, TASK_FINISHED, now, 2);
	if (r >= 0)
		r = q->ops->insert(q->b, &t, q->cfg.max_tasks);
	if (r == -EEXIST) /* another user of the same database was faster */
		return find_again(q, t.key, id, state);
	if (r < 0)
		return r;
	note_due(q, &t);
	q->stats.created++;
	*id = t.id;
	*state = TASK_CREATED;
	return 0;
}

int queue_get(struct queue *q, int64_t id, struct task *task)
{
	int r = q->ops->load(q->b, id, false, task);

	q->b->must_last |= r == 0 && (task->state == TASK_FINISHED || task->state == TASK_DEAD);
	return r;
}

int queue_ready(struct queue *q, int64_t id, int64_t now)
{
	struct task t;
	int r = q->ops->load(q->b, id, true, &t);

	if (r < 0)
		return r;
	q->b->must_last = t.state != TASK_FINISHED && t.state != TASK_DEAD;
	switch (t.state) {
	case TASK_CREATED:
		return t.start_ms > now ? move(q, &t, TASK_DELAYED, t.start_ms, now)
					: make_ready(q, &t, now);
	case TASK_READY:
	case TASK_LEASED:
	case TASK_DELAYED:
		return 0; /* the original master repeats it, ours after a broken connection */
	case TASK_FINISHED:
	case TASK_DEAD:
		break;
	}
	return -ESTALE;
}

/* --- leases ---------------------------------------------------------------------------------------------------------- */
static void make_token(struct queue *q, int64_t now, char *token)
{
	uint64_t words[2];

	if (getrandom(words, sizeof(words), 0) != sizeof(words)) {
		/* No entropy at all: still unique within this queue. */
		words[0] = chance(q) << 32 | chance(q);
		words[1] = (uint64_t)now;
	}
	snprintf(token, TOKEN_BYTES, "%016" PRIx64 "%016" PRIx64, words[0], words[1]);
}

bool queue_may_lease(struct queue *q)
{
	return q->ops->shared || queue_count(q, TASK_READY) > 0;
}

static void lease_of(const struct task *t, struct lease *lease)
{
	*lease = (struct lease){.id = t->id, .attempt = t->attempts, .expires_ms = t->due_ms};
	memcpy(lease->token, t->token, sizeof(lease->token));
	memcpy(lease->params, t->params, sizeof(lease->params));
}

int queue_lease(struct queue *q, const char *worker, int64_t now, struct lease *lease)
{
	struct task t = {.due_ms = now + q->cfg.lease_ms, .since_ms = now};
	int r;

	make_token(q, now, t.token);
	snprintf(t.worker, sizeof(t.worker), "%s", worker);
	r = q->ops->take(q->b, &t);
	if (r < 0)
		return r;
	t.state = TASK_LEASED;
	note_due(q, &t);
	q->stats.leased++;
	lease_of(&t, lease);
	return 0;
}

/* Whether the caller holds the task: the right token, or none while the lease is valid. */
static bool holds(const struct task *t, const char *token, int64_t now)
{
	if (t->state != TASK_LEASED || t->due_ms <= now)
		return false;
	return !token || strcmp(token, t->token) == 0;
}

int queue_finish(struct queue *q, int64_t id, const char *token, int64_t now)
{
	struct task t;
	int r = q->ops->load(q->b, id, true, &t);

	if (r < 0)
		return r;
	if (t.state == TASK_FINISHED && token && strcmp(token, t.token) == 0) {
		q->b->must_last = true;
		return 0;
	}
	if (!holds(&t, token, now))
		return -ESTALE;
	q->b->must_last = true;
	r = move(q, &t, TASK_FINISHED, now + q->cfg.keep_finished_ms, now);
	q->stats.finished += r == 0;
	return r;
}

int queue_renew(struct queue *q, int64_t id, const char *token, int64_t now, struct lease *lease)
{
	struct task t;
	int r = q->ops->load(q->b, id, true, &t);

	if (r < 0)
		return r;
	if (!holds(&t, token, now))
		return -ESTALE;
	r = move(q, &t, TASK_LEASED, now + q->cfg.lease_ms, t.since_ms);
	if (r == 0)
		lease_of(&t, lease);
	return r;
}

/* Doubles with each attempt; half of it is left to chance, so that tasks that failed together do not come back together. */
static int64_t back_off(struct queue *q, int64_t attempts)
{
	int64_t ms = q->cfg.backoff_ms;

	for (int64_t i = 1; i < attempts && ms < q->cfg.backoff_max_ms; i++)
		ms *= 2;
	if (ms > q->cfg.backoff_max_ms)
		ms = q->cfg.backoff_max_ms;
	return ms - (int64_t)(chance(q) % (uint64_t)(ms / 2 + 1));
}

static int bury(struct queue *q, struct task *t, int64_t now)
{
	int64_t dead;
	int r = move(q, t, TASK_DEAD, now, now);

	q->b->must_last = true;
	if (r < 0)
		return r;
	q->stats.died++;
	log_warn("a task is dead",
		"task=%" PRId64 " attempts=%" PRId64 " worker=\"%s\" reason=\"%s\"", t->id,
		t->attempts, t->worker, t->reason);
	dead = queue_count(q, TASK_DEAD);
	if (dead > q->cfg.max_dead)
		r = q->ops->purge(q->b, TASK_DEAD, now, dead - q->cfg.max_dead);
	return r < 0 ? r : 0;
}

static int give_back(struct queue *q, struct task *t, bool final, int64_t now)
{
	if (final || t->attempts >= q->cfg.max_attempts)
		return bury(q, t, now);
	return move(q, t, TASK_DELAYED, now + back_off(q, t->attempts), now);
}

int queue_fail(
	struct queue *q, int64_t id, const char *token, const char *reason, bool final, int64_t now)
{
	struct task t;
	int r = q->ops->load(q->b, id, true, &t);

	if (r < 0)
		return r;
	if (!holds(&t, token, now))
		return -ESTALE;
	snprintf(t.reason, sizeof(t.reason), "%s", reason);
	r = give_back(q, &t, final, now);
	q->stats.failed += r == 0;
	return r;
}

/* --- time ------------------------------------------------------------------------------------------------------------ */
static int expire_one(struct queue *q, int64_t id, int64_t now)
{
	struct task t;
	int r = q->ops->load(q->b, id, true, &t);

	if (r < 0)
		return r;
	if (t.state == TASK_DELAYED)
		return make_ready(q, &t, now);
	log_warn("a lease ran out", "task=%" PRId64 " attempt=%" PRId64 " worker=\"%s\"", t.id,
		t.attempts, t.worker);
	q->stats.expired++;
	snprintf(t.reason, sizeof(t.reason), "the lease ran out (worker \"%s\")", t.worker);
	return give_back(q, &t, false, now);
}

static int expire_state(struct queue *q, enum task_state state, int64_t now)
{
	int64_t ids[EXPIRE_BATCH];
	int n = q->ops->due(q->b, state, now, ids, EXPIRE_BATCH), r = 0;

	for (int i = 0; i < n && r == 0; i++)
		r = expire_one(q, ids[i], now);
	return n < 0 ? n : r;
}

int queue_expire(struct queue *q, int64_t now)
{
	int r;

	if (q->ops->shared)
		q->next_due = -1; /* others have made leases too, and may be gone */
	if (queue_next_due(q) > now)
		return 0;
	r = queue_begin(q) ?: expire_state(q, TASK_DELAYED, now) ?: expire_state(q, TASK_LEASED, now);
	if (r == 0)
		r = q->ops->purge(q->b, TASK_CREATED, now, EXPIRE_BATCH);
	q->next_due = -1;
	return r < 0 ? r : 0;
}

int64_t queue_next_due(struct queue *q)
{
	int64_t at;

	if (q->next_due >= 0)
		return q->next_due;
	if (q->ops->next_due(q->b, &at) < 0)
		return INT64_MAX; /* away: the caller comes back by itself when others use the queue too */
	q->next_due = at;
	return at;
}

/* --- dead letters ---------------------------------------------------------------------------------------------------- */
int queue_dead(struct queue *q, int64_t after, struct task *out, int max)
{
	q->b->must_last = true;
	return q->ops->list_dead(q->b, after, out, max);
}

int queue_dead_retry(struct queue *q, int64_t id, int64_t now, int64_t *changed)
{
	int r = q->ops->retry_dead(q->b, id, now, changed);

	q->b->must_last = true;
	return r == 0 && id >= 0 && *changed == 0 ? -ENOENT : r;
}

int queue_dead_purge(struct queue *q, int64_t id, int64_t *changed)
{
	int r = q->ops->delete_dead(q->b, id, changed);

	q->b->must_last = true;
	return r == 0 && id >= 0 && *changed == 0 ? -ENOENT : r;
}
