/* SPDX-License-Identifier: Apache-2.0 */
/* Dead letters: listed page by page, tried again, deleted; one or all. */
#include "services/db/db.h"
#include "services/db/parse.h"

#include "lib/jsonx.h"

#include <inttypes.h>
#include <string.h>

#define DEAD_PAGE_MAX 100

void on_dead(struct httpd_req *req)
{
	_cleanup_json_ json_t *json = json_pack("{s:[]}", "tasks");
	_cleanup_free_ struct task *tasks = calloc(DEAD_PAGE_MAX, sizeof(*tasks));
	const char *text = httpd_query(req, "after");
	struct db *db = db_of(req);
	int64_t after = -1;
	int n;

	if (!tasks)
		return;
	if (text && !parse_id(text, &after)) {
		answer(req, 400, HTML, "after must be the id of a task");
		return;
	}
	n = queue_dead(db->queue, after, tasks, DEAD_PAGE_MAX);
	if (n < 0) {
		answer_code(req, n);
		return;
	}
	for (int i = 0; i < n; i++)
		json_array_append_new(json_object_get(json, "tasks"), task_json(&tasks[i]));
	json_object_set_new(json, "total", json_integer(queue_count(db->queue, TASK_DEAD)));
	answer_take(req, 200, JSON, json_dumps(json, JSON_COMPACT));
}

static void change_dead(struct httpd_req *req, int64_t id, bool retry)
{
	struct db *db = db_of(req);
	int64_t changed = 0;
	char text[48];
	int r;

	if (!begin(req))
		return;
	r = retry ? queue_dead_retry(db->queue, id, db_now_ms(db), &changed)
		  : queue_dead_purge(db->queue, id, &changed);
	if (r < 0) {
		answer_code(req, r);
		return;
	}
	snprintf(text, sizeof(text), "{\"changed\":%" PRId64 "}", changed);
	answer(req, 200, JSON, text);
	serve_waiters(db);
}

void on_dead_retry(struct httpd_req *req)
{
	int64_t id;

	if (task_id(req, &id))
		change_dead(req, id, true);
}

void on_dead_purge(struct httpd_req *req)
{
	int64_t id;

	if (task_id(req, &id))
		change_dead(req, id, false);
}

void on_dead_retry_all(struct httpd_req *req)
{
	change_dead(req, -1, true);
}

void on_dead_purge_all(struct httpd_req *req)
{
	change_dead(req, -1, false);
}
