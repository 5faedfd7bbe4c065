/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/state/keep.h"

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_NS      INT64_C(1000000000)
#define JOURNAL_PAGES 1000 /* from here on it is taken over when there is time */
#define JOURNAL_MAX   8000 /* ... and from here on at once */
#define CALM_NS       INT64_C(200000000)

struct waiting {
	enum state_table table;
	char *id, *record; /* owned; record NULL: the row goes */
	struct waiting *next;
};

struct keep {
	struct state_db *db;
	struct loop_timer *timer, *journal_timer;
	struct waiting *first;
	unsigned count;
};

static void waiting_free(struct waiting *w)
{
	free(w->id);
	free(w->record);
	free(w);
}

static int write_row(const struct keep *keep, enum state_table table, const char *id,
	const char *record, struct err *err)
{
	return record ? state_db_put(keep->db, table, id, record, err)
		      : state_db_delete(keep->db, table, id, err);
}

/* An older word on the row. */
static void forget(struct keep *keep, enum state_table table, const char *id)
{
	for (struct waiting **at = &keep->first; *at; at = &(*at)->next) {
		struct waiting *w = *at;

		if (w->table != table || strcmp(w->id, id) != 0)
			continue;
		*at = w->next;
		waiting_free(w);
		keep->count--;
		return;
	}
}

static int remember(struct keep *keep, enum state_table table, const char *id, const char *record)
{
	struct waiting *w = calloc(1, sizeof(*w)), **end = &keep->first;

	if (w) {
		w->table = table;
		w->id = strdup(id);
		w->record = record ? strdup(record) : NULL;
	}
	if (!w || !w->id || (record && !w->record)) {
		if (w)
			waiting_free(w);
		return -ENOMEM;
	}
	while (*end)
		end = &(*end)->next;
	*end = w;
	keep->count++;
	return 0;
}

static void take_journal_over(void *arg)
{
	const struct keep *keep = arg;
	struct err err = {0};

	if (state_db_checkpoint(keep->db, &err) < 0)
		log_warn("the journal of the state database stays", "error=\"%s\"", err.msg);
}

/* That waits for the disk, so nobody who writes does it: it is done when nothing was written for a moment. */
static void look_at_journal(struct keep *keep)
{
	int pages = state_db_journal_pages(keep->db);

	if (pages >= JOURNAL_PAGES)
		loop_timer_set(keep->journal_timer, pages < JOURNAL_MAX ? CALM_NS : 0);
}

/* In the order they came, up to the first that fails. */
static void write_waiting(struct keep *keep)
{
	unsigned count = keep->count;

	while (keep->first) {
		struct waiting *w = keep->first;

		if (write_row(keep, w->table, w->id, w->record, NULL) < 0)
			return;
		keep->first = w->next;
		keep->count--;
		waiting_free(w);
	}
	if (count)
		log_info("the state database can be written again", "rows=%u", count);
}

static void on_timer(void *arg)
{
	struct keep *keep = arg;

	write_waiting(keep);
	if (keep->first)
		loop_timer_set(keep->timer, AGAIN_NS);
}

int keep_new(struct state_db *db, struct loop *loop, struct keep **out)
{
	struct keep *keep = calloc(1, sizeof(*keep));
	int r;

	if (!keep)
		return -ENOMEM;
	keep->db = db;
	r = loop_timer_new(loop, on_timer, keep, &keep->timer);
	r = r < 0 ? r : loop_timer_new(loop, take_journal_over, keep, &keep->journal_timer);
	if (r < 0) {
		loop_timer_free(keep->timer);
		free(keep);
		return r;
	}
	*out = keep;
	return 0;
}

void keep_free(struct keep *keep)
{
	if (!keep)
		return;
	write_waiting(keep);
	while (keep->first) {
		struct waiting *w = keep->first;

		keep->first = w->next;
		waiting_free(w);
	}
	loop_timer_free(keep->timer);
	loop_timer_free(keep->journal_timer);
	free(keep);
}

static int change(struct keep *keep, enum state_table table, const char *id, const char *record,
	struct err *err)
{
	int r = write_row(keep, table, id, record, err);

	forget(keep, table, id);
	if (r == 0) {
		look_at_journal(keep);
		return 0;
	}
	if (remember(keep, table, id, record) < 0)
		return err_sys(err, ENOMEM, "state");
	loop_timer_set(keep->timer, AGAIN_NS);
	return r;
}

int keep_put(struct keep *keep, enum state_table table, const char *id, const char *record,
	struct err *err)
{
	return change(keep, table, id, record, err);
}

int keep_put_json(struct keep *keep, enum state_table table, const char *id, const json_t *record,
	struct err *err)
{
	_cleanup_free_ char *text = record ? json_dumps(record, JSON_COMPACT) : NULL;

	return text ? keep_put(keep, table, id, text, err) : err_sys(err, ENOMEM, "state");
}

int keep_delete(struct keep *keep, enum state_table table, const char *id, struct err *err)
{
	return change(keep, table, id, NULL, err);
}

unsigned keep_waiting(const struct keep *keep)
{
	return keep->count;
}
