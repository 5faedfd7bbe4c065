/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One stream per page: the master is asked for the states of its tasks, often while they change, seldom while they do not,
 * and what has changed is sent. A stream ends when all its tasks are finished or dead, after its time, or with the service; the page opens
 * another one when it has more to follow.
 *
 *   open -> ask --answer--> send, if changed --> wait --> ask ...
 *            |                   \--> all at rest, or time is up: event "end"
 *            +--> the client goes away: everything is let go
 */
#include "services/ui/ui.h"

#include "lib/jsonx.h"
#include "lib/log.h"

#include <errno.h>
#include <string.h>

#define STREAMS_MAX   64
#define HELD_MAX      (256 * KIB)
#define ANSWER_MAX    (64 * KIB)
#define SOON_NS       (150 * NS_PER_MS)
#define LATER_NS      NS_PER_S
#define SOON_FOR_NS   (5 * NS_PER_S)  /* after the last change */
#define HEARTBEAT_NS  (15 * NS_PER_S) /* so that a client that went away is seen */
#define STREAM_MAX_NS (600 * NS_PER_S)

struct ui_stream {
	struct ui *ui;
	struct ui_stream *prev, *next;
	struct httpd_stream *out;
	struct loop_timer *timer;
	struct upstream_call *call;
	int64_t opened_ns, changed_ns, sent_ns;
	struct buf last; /* the answer that was sent */
	char path[];
};

static void stream_free(struct ui_stream *s)
{
	struct ui *ui = s->ui;

	if (s->next)
		s->next->prev = s->prev;
	if (s->prev)
		s->prev->next = s->next;
	else
		ui->streams = s->next;
	ui->stream_count--;
	upstream_cancel(s->call);
	loop_timer_free(s->timer);
	buf_fini(&s->last);
	free(s);
}

static void on_gone(void *arg)
{
	stream_free(arg);
}

static void stream_end(struct ui_stream *s)
{
	static const char end[] = "event: end\ndata: \n\n";

	httpd_stream_write(s->out, end, sizeof(end) - 1);
	httpd_stream_end(s->out);
	stream_free(s);
}

/* Whether some task of the answer will still change by itself. */
static bool moving(const json_t *tasks)
{
	size_t i;
	const json_t *task;

	json_array_foreach(tasks, i, task)
	{
		const char *state = json_string_value(json_object_get(task, "state"));

		if (state && strcmp(state, "finished") != 0 && strcmp(state, "dead") != 0)
			return true;
	}
	return false;
}

/* One event; a client that does not read what it was sent gets no more until it does. */
static void send_answer(struct ui_stream *s, const struct httpc_response *resp, int64_t now)
{
	_cleanup_buf_ struct buf event = {0};

	if (buf_printf(&event, "data: %.*s\n\n", (int)resp->len, resp->body) < 0 ||
		httpd_stream_write(s->out, event.data, event.len) < 0)
		return;
	buf_fini(&s->last);
	if (buf_add(&s->last, resp->body, resp->len) < 0)
		buf_fini(&s->last); /* it is sent once more then */
	s->changed_ns = s->sent_ns = now;
	s->ui->events++;
}

static void on_answer(void *arg, const struct httpc_response *resp, size_t instances)
{
	_cleanup_json_ json_t *json = NULL;
	struct ui_stream *s = arg;
	int64_t now = loop_now_ns();
	bool same;

	(void)instances;
	s->call = NULL;
	if (resp->code == 0 && resp->status == 200 && !memchr(resp->body, '\n', resp->len) &&
		jsonx_parse_object(resp->body, resp->len, 4, &json, NULL) == 0) {
		same = s->last.len == resp->len && memcmp(s->last.data, resp->body, resp->len) == 0;
		if (!same)
			send_answer(s, resp, now);
		if ((same || s->last.len) && !moving(json_object_get(json, "tasks"))) {
			stream_end(s);
			return;
		}
	}
	if (now - s->opened_ns > STREAM_MAX_NS) {
		stream_end(s);
		return;
	}
	if (now - s->sent_ns > HEARTBEAT_NS && httpd_stream_write(s->out, ":\n\n", 3) == 0)
		s->sent_ns = now;
	loop_timer_set(s->timer, now - s->changed_ns < SOON_FOR_NS ? SOON_NS : LATER_NS);
}

static void on_time(void *arg)
{
	struct ui_stream *s = arg;
	struct upstream_request q = {.key = UI_MASTER,
		.path = s->path,
		.idempotent = true,
		.http = {.timeout_ms = UI_CALL_MS, .max_bytes = ANSWER_MAX},
		.done = on_answer,
		.arg = s};

	if (upstream_start(s->ui->s->upstream, &q, &s->call) < 0)
		loop_timer_set(s->timer, LATER_NS);
}

/* ids: numbers with commas between them, at most UI_IDS_MAX. */
static bool ids_good(const char *ids)
{
	size_t count = 0;

	for (const char *at = ids; at; count++) {
		size_t len = strspn(at, "0123456789");

		if (len < 1 || len > 18 || (at[len] && at[len] != ',') || count == UI_IDS_MAX)
			return false;
		at = at[len] ? at + len + 1 : NULL;
	}
	return true;
}

static struct ui_stream *stream_new(struct ui *ui, const char *ids)
{
	size_t len = strlen(ids) + sizeof("/tasks?ids=");
	struct ui_stream *s = calloc(1, sizeof(*s) + len);

	if (!s || loop_timer_new(ui->s->loop, on_time, s, &s->timer) < 0) {
		free(s);
		return NULL;
	}
	snprintf(s->path, len, "/tasks?ids=%s", ids);
	s->ui = ui;
	s->opened_ns = s->changed_ns = s->sent_ns = loop_now_ns();
	s->next = ui->streams;
	if (s->next)
		s->next->prev = s;
	ui->streams = s;
	ui->stream_count++;
	return s;
}

void ui_on_events(struct httpd_req *req)
{
	struct ui *ui = ui_of(req);
	const char *ids = httpd_query(req, "ids");
	struct ui_stream *s;

	if (!ids || !ids_good(ids)) {
		httpd_reply_error(req, 400, "ids are at most 100 numbers: ids=1,2,3");
		return;
	}
	if (ui->stream_count >= STREAMS_MAX || ui->s->draining) {
		httpd_add_header(req, "Retry-After", "3");
		httpd_reply_error(req, 503, "too many streams at a time");
		return;
	}
	s = stream_new(ui, ids);
	if (!s)
		return;
	httpd_add_header(req, "Cache-Control", "no-store");
	httpd_add_header(req, "X-Accel-Buffering", "no");
	s->out = httpd_stream_open(req, 200, "text/event-stream", HELD_MAX, NULL, on_gone, s);
	if (s->out)
		loop_timer_set(s->timer, 0);
	else
		stream_free(s);
}

void ui_events_drain(struct ui *ui)
{
	while (ui->streams)
		stream_end(ui->streams);
}
