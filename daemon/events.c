/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/events.h"

#include "daemon/api/vm_json.h"
#include "daemon/image/store.h"
#include "daemon/instance/instance.h"
#include "daemon/state/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ERA_ID "events.era" /* its row in the database; the first manager has era 0 */

struct events_follower {
	struct events *events;
	events_fn *fn;
	void *arg;
	struct events_follower *next;
};

struct events {
	struct event ring[EVENTS_KEPT]; /* event n is at n % EVENTS_KEPT */
	uint64_t base;                  /* of this era: numbers begin behind it */
	uint64_t last;
	struct events_follower *followers;
};

struct events *events_new(void)
{
	return calloc(1, sizeof(struct events));
}

static int read_era(void *arg, const char *id, const char *record, size_t len)
{
	(void)len;
	if (strcmp(id, ERA_ID) == 0)
		*(uint64_t *)arg = strtoull(record, NULL, 10) + 1;
	return 0;
}

int events_begin_era(struct events *e, struct state_db *db, struct keep *keep, struct err *err)
{
	uint64_t era = 0;
	char record[24];
	int r = state_db_each(db, STATE_COUNTER, read_era, &era, err);

	if (r < 0)
		return r;
	e->base = e->last = era << EVENTS_ERA_SHIFT;
	snprintf(record, sizeof(record), "%llu", (unsigned long long)era);
	r = keep_put(keep, STATE_COUNTER, ERA_ID, record, err);
	return r == -EIO ? 0 : r; /* tried again until it is written */
}

void events_end(struct events *e)
{
	struct events_follower *f;

	while ((f = e->followers)) {
		e->followers = f->next;
		f->fn(f->arg, NULL);
		free(f);
	}
}

void events_free(struct events *e)
{
	if (!e)
		return;
	events_end(e);
	for (size_t n = 0; n < EVENTS_KEPT; n++)
		free(e->ring[n].text);
	free(e);
}

/* Takes about. */
static void emit(struct events *e, const char *kind, const char *what, json_t *about)
{
	struct event *slot = &e->ring[++e->last % EVENTS_KEPT];
	struct events_follower *f, *next;
	struct timespec now;
	json_t *root;
	char type[64];

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(type, sizeof(type), "%s.%s", kind, what);
	root = json_pack("{s:I, s:o, s:s, s:o}", "id", (json_int_t)e->last, "time", time_json(&now),
		"type", type, kind, about);
	free(slot->text);
	*slot = (struct event){.id = e->last, .text = root ? json_dumps(root, JSON_COMPACT) : NULL};
	json_decref(root);
	for (f = e->followers; f && slot->text; f = next) {
		next = f->next;
		f->fn(f->arg, slot);
	}
}

void events_vm(struct events *e, const char *what, const struct instance *i)
{
	emit(e, "vm", what,
		json_pack("{s:s, s:s, s:s, s:s, s:o, s:s?}", "id", i->id, "name", i->name, "image",
			i->image->name, "state", instance_state_names[i->state], "exit_code",
			i->has_exit_code ? json_integer(i->exit_code) : json_null(), "reason",
			i->reason[0] ? i->reason : NULL));
}

void events_image(struct events *e, const char *what, const char *name)
{
	emit(e, "image", what, json_pack("{s:s}", "name", name));
}

void events_app(
	struct events *e, const char *what, const char *name, const char *state, const char *reason)
{
	emit(e, "app", what,
		json_pack("{s:s, s:s, s:s?}", "name", name, "state", state, "reason", reason));
}

void events_function(
	struct events *e, const char *what, const char *name, const char *state, const char *reason)
{
	emit(e, "fn", what,
		json_pack("{s:s, s:s, s:s?}", "name", name, "state", state, "reason", reason));
}

void events_template(
	struct events *e, const char *what, const char *id, const char *image, const char *reason)
{
	emit(e, "template", what,
		json_pack("{s:s, s:s, s:s?}", "id", id, "name", image, "reason", reason));
}

void events_operation(struct events *e, const char *what, const char *id, const char *kind,
	const char *subject, const char *reason)
{
	emit(e, "operation", what,
		json_pack("{s:s, s:s, s:s, s:s?}", "id", id, "kind", kind, "name", subject,
			"reason", reason));
}

void events_snapshot(struct events *e, const char *what, const char *name, const char *id,
	const char *vm, const char *reason)
{
	emit(e, "snapshot", what,
		json_pack("{s:s, s:s, s:s, s:s?}", "name", name, "id", id, "vm", vm, "reason",
			reason));
}

uint64_t events_last(const struct events *e)
{
	return e->last;
}

/* The number before the first that is kept. */
static uint64_t before_first(const struct events *e)
{
	return e->last - e->base > EVENTS_KEPT ? e->last - EVENTS_KEPT : e->base;
}

uint64_t events_resume(const struct events *e, uint64_t id, bool *foreign)
{
	*foreign = id != 0 && (id < e->base || id > e->last);
	if (*foreign)
		return before_first(e);
	return id ? id : e->base;
}

const struct event *events_after(const struct events *e, uint64_t id)
{
	uint64_t before = before_first(e), n = (id < before ? before : id) + 1;

	for (; n <= e->last; n++) {
		if (e->ring[n % EVENTS_KEPT].text)
			return &e->ring[n % EVENTS_KEPT];
	}
	return NULL;
}

struct events_follower *events_follow(struct events *e, events_fn *fn, void *arg)
{
	struct events_follower *f = malloc(sizeof(*f));

	if (!f)
		return NULL;
	*f = (struct events_follower){.events = e, .fn = fn, .arg = arg, .next = e->followers};
	e->followers = f;
	return f;
}

void events_unfollow(struct events_follower *f)
{
	struct events_follower **p = &f->events->followers;

	while (*p != f)
		p = &(*p)->next;
	*p = f->next;
	free(f);
}
