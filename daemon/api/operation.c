/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations (daemon/operation.h): which there are; one, at once, when it has ended (?wait=SECONDS), or as server-sent events; the end of
 * one that somebody does not want any more. Each event is the whole operation, so a slow reader misses only what is outdated:
 * what it has not taken yet is never followed by more.
 */
#include "daemon/operation.h"

#include "daemon/api/api.h"
#include "daemon/api/query.h"
#include "daemon/core.h"
#include "lib/buf.h"
#include "lib/jsonx.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>

#define STREAM_TYPE      "text/event-stream"
#define STREAM_MAX_BYTES (64 * KIB)

void answer_operation(struct httpd_req *req, const struct operation *op)
{
	httpd_add_headerf(req, "Location", "/operation/%s", operation_id(op));
	answer_json(req, 202, operation_json(op));
}

/* NULL: the answer has been given. */
static struct operation *find(struct httpd_req *req)
{
	const char *id = httpd_param(req, "operation");
	struct operation *op;
	int r = operations_find(api_core(req)->operations, id, &op);

	if (r == 0)
		return op;
	if (r == -EEXIST)
		answer_problem(req, 409, "ambiguous_id",
			"several operations have ids that begin with \"%.63s\"", id);
	else
		answer_unknown(req, "operation", id, "operation");
	return NULL;
}

void operation_list(struct httpd_req *req)
{
	const struct operation *op = operations_first(api_core(req)->operations);
	const char *kind = httpd_query(req, "kind");
	int state = -1;
	json_t *items;

	if (!query_word(req, "state", operation_state_names, &state))
		return;
	items = json_array();
	for (; op; op = operation_next(op)) {
		if ((state < 0 || (int)operation_state(op) == state) &&
			(!kind || strcmp(operation_kind(op), kind) == 0))
			json_array_append_new(items, operation_json(op));
	}
	answer_items(req, items);
}

/* --- as events --------------------------------------------------------------------------------------------------- */
struct stream {
	struct httpd_stream *stream;
	struct operation_follower *follower;
	const struct operation *op;
	bool behind; /* what was written is not taken yet, and there is more */
};

static void stream_free(struct stream *s)
{
	if (s->follower)
		operation_unfollow(s->follower);
	free(s);
}

/* The stream may be gone after it. */
static void write_state(struct stream *s)
{
	_cleanup_json_ json_t *root = operation_json(s->op);
	_cleanup_free_ char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	_cleanup_buf_ struct buf event;

	buf_init(&event, 0);
	s->behind = false;
	if (text)
		buf_printf(&event, "id: %llu\ndata: %s\n\n",
			(unsigned long long)operation_version(s->op), text);
	if (event.len)
		httpd_stream_write(s->stream, event.data, event.len);
	if (operation_state(s->op) != OPERATION_RUNNING) {
		httpd_stream_end(s->stream);
		stream_free(s);
	}
}

static void hear(void *arg, const struct operation *op)
{
	struct stream *s = arg;

	if (!op) { /* forgotten */
		s->follower = NULL;
		httpd_stream_end(s->stream);
		stream_free(s);
	} else if (httpd_stream_held(s->stream)) {
		s->behind = true;
	} else {
		write_state(s);
	}
}

static void drained(void *arg)
{
	struct stream *s = arg;

	if (s->behind)
		write_state(s);
}

static void gone(void *arg)
{
	stream_free(arg);
}

static bool has_seen(struct httpd_req *req, const struct operation *op)
{
	const char *id = httpd_header(req, "Last-Event-ID");
	char version[24];

	snprintf(version, sizeof(version), "%llu", (unsigned long long)operation_version(op));
	return id && strcmp(id, version) == 0 && operation_state(op) == OPERATION_RUNNING;
}

static void stream(struct httpd_req *req, struct operation *op)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (s)
		s->follower = operation_follow(op, hear, s);
	if (!s || !s->follower) {
		free(s);
		answer_problem(req, 500, "internal", "there is no memory to follow with");
		return;
	}
	s->op = op;
	httpd_add_header(req, "Cache-Control", "no-store");
	s->stream = httpd_stream_open(req, 200, STREAM_TYPE, STREAM_MAX_BYTES, drained, gone, s);
	if (!s->stream)
		stream_free(s);
	else if (has_seen(req, op))
		httpd_stream_write(s->stream, ": hello\n\n", 9);
	else
		write_state(s);
}

/* --- when it has ended ------------------------------------------------------------------------------------------- */
struct waiting {
	struct httpd_req *req;
	struct operation_follower *follower;
	struct loop_timer *timer;
	const struct operation *op;
};

static void waiting_free(void *data)
{
	struct waiting *w = data;

	if (w->follower)
		operation_unfollow(w->follower);
	loop_timer_free(w->timer);
	free(w);
}

static void answer_as_it_is(void *arg)
{
	struct waiting *w = arg;

	if (w->follower)
		operation_unfollow(steal_ptr(&w->follower));
	loop_timer_cancel(w->timer);
	answer_json(w->req, 200, operation_json(w->op));
}

static void hear_end(void *arg, const struct operation *op)
{
	struct waiting *w = arg;

	if (!op) {
		w->follower = NULL;
		loop_timer_cancel(w->timer);
		answer_problem(w->req, 404, "not_found", "the operation is forgotten");
	} else if (operation_state(op) != OPERATION_RUNNING) {
		answer_as_it_is(w);
	}
}

static void answer_at_end(struct httpd_req *req, struct operation *op, int64_t timeout_ns)
{
	struct waiting *w = calloc(1, sizeof(*w));

	if (w) {
		*w = (struct waiting){.req = req, .op = op};
		httpd_set_data(req, w, waiting_free);
		w->follower = operation_follow(op, hear_end, w);
	}
	if (!w || !w->follower ||
		loop_timer_new(api_core(req)->loop, answer_as_it_is, w, &w->timer) < 0) {
		answer_problem(req, 500, "internal", "there is no memory to wait with");
		return;
	}
	loop_timer_set(w->timer, timeout_ns);
	httpd_defer(req, NULL);
}

void operation_get(struct httpd_req *req)
{
	const char *accept = httpd_header(req, "Accept");
	struct operation *op = find(req);
	int64_t timeout_ns = 0;

	if (!op || !query_seconds(req, "wait", &timeout_ns))
		return;
	if (accept && strstr(accept, STREAM_TYPE) && !httpd_is_head(req))
		stream(req, op);
	else if (timeout_ns && operation_state(op) == OPERATION_RUNNING)
		answer_at_end(req, op, timeout_ns);
	else
		answer_json(req, 200, operation_json(op));
}

void operation_delete(struct httpd_req *req)
{
	struct operation *op = find(req);

	if (!op)
		return;
	if (operation_forget(op) == 0)
		httpd_reply(req, 204, NULL, NULL, 0);
	else if (operation_cancel(op) == 0)
		answer_operation(req, op);
	else
		answer_problem(req, 409, "conflict",
			"the operation %s (%s) runs, and can not be ended before it is done",
			operation_id(op), operation_kind(op));
}
