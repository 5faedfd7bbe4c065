/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /events: what was kept, as a page of JSON; or, for a client that accepts text/event-stream (WHATWG HTML, "Server-sent
 * events"), what was kept and what comes. A reader that is too slow hears how many events it has lost (event: gap) and goes on; one that
 * comes from an earlier manager hears that it has lost some.
 */
#include "daemon/events.h"

#include "daemon/api/api.h"
#include "daemon/api/query.h"
#include "daemon/core.h"
#include "lib/buf.h"

#include <limits.h>
#include <string.h>

#define STREAM_MAX_BYTES (256 * KIB)
#define STREAM_TYPE      "text/event-stream"

struct stream {
	struct httpd_stream *stream;
	struct events *events;
	struct events_follower *follower;
	uint64_t sent; /* number of the last event written */
	bool behind;   /* the stream is full */
};

static bool write_event(struct stream *s, const struct event *event)
{
	_cleanup_buf_ struct buf text;

	buf_init(&text, 0);
	if (event->id > s->sent + 1)
		buf_printf(&text, "event: gap\ndata: {\"lost\":%llu}\n\n",
			(unsigned long long)(event->id - s->sent - 1));
	buf_printf(&text, "id: %llu\ndata: %s\n\n", (unsigned long long)event->id, event->text);
	if (httpd_stream_write(s->stream, text.data, text.len) < 0)
		return false;
	s->sent = event->id;
	return true;
}

static void catch_up(struct stream *s)
{
	const struct event *event;

	s->behind = false;
	while ((event = events_after(s->events, s->sent))) {
		if (!write_event(s, event)) {
			s->behind = true;
			return;
		}
	}
}

static void hear(void *arg, const struct event *event)
{
	struct stream *s = arg;

	if (!event) {
		httpd_stream_end(s->stream);
		free(s);
		return;
	}
	if (!s->behind && !write_event(s, event))
		s->behind = true;
}

static void drained(void *arg)
{
	struct stream *s = arg;

	if (s->behind)
		catch_up(s);
}

static void gone(void *arg)
{
	struct stream *s = arg;

	if (s->follower)
		events_unfollow(s->follower);
	free(s);
}

/* With a number, so that who breaks off now is not told again. */
static void say_unknown_gap(struct stream *s)
{
	_cleanup_buf_ struct buf text;

	buf_init(&text, 0);
	buf_printf(&text, "id: %llu\nevent: gap\ndata: {\"lost\":null}\n\n",
		(unsigned long long)s->sent);
	httpd_stream_write(s->stream, text.data, text.len);
}

static void stream(struct httpd_req *req, struct events *events, uint64_t since, bool foreign)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s) {
		answer_problem(req, 500, "internal", "there is no memory to follow with");
		return;
	}
	s->events = events;
	s->sent = since;
	httpd_add_header(req, "Cache-Control", "no-store");
	s->stream = httpd_stream_open(req, 200, STREAM_TYPE, STREAM_MAX_BYTES, drained, gone, s);
	if (!s->stream) {
		free(s);
		return;
	}
	s->follower = events_follow(events, hear, s);
	if (!s->follower) {
		hear(s, NULL);
		return;
	}
	httpd_stream_write(
		s->stream, ": hello\n\n", 9); /* so that the client knows that it hears */
	if (foreign)
		say_unknown_gap(s);
	catch_up(s);
}

static void page(struct httpd_req *req, const struct events *events, uint64_t since, bool foreign)
{
	const struct event *event = events_after(events, since);
	json_int_t lost = event ? (json_int_t)(event->id - since - 1) : 0;
	json_t *items = json_array();

	for (; event; event = events_after(events, since)) {
		json_array_append_new(items, json_loads(event->text, 0, NULL));
		since = event->id;
	}
	answer_json(req, 200,
		json_pack("{s:o, s:I, s:o}", "items", items, "last", (json_int_t)since, "lost",
			foreign ? json_null() : json_integer(lost)));
}

/* Last-Event-ID goes first: a browser sends it with the URL it had. */
static bool read_since(struct httpd_req *req, const struct events *events, bool streams,
	uint64_t *since, bool *foreign)
{
	const char *header = httpd_header(req, "Last-Event-ID");
	long asked = -1;
	char *end;

	if (!query_long(req, "since", 0, LONG_MAX, &asked))
		return false;
	if (header && *header >= '0' && *header <= '9') {
		unsigned long id = strtoul(header, &end, 10);

		if (!*end && id < LONG_MAX)
			asked = (long)id;
	}
	*since = asked >= 0 ? (uint64_t)asked : streams ? events_last(events) : 0;
	*since = events_resume(events, *since, foreign);
	return true;
}

void events_get(struct httpd_req *req)
{
	struct events *events = api_core(req)->events;
	const char *accept = httpd_header(req, "Accept");
	bool streams = accept && strstr(accept, STREAM_TYPE) && !httpd_is_head(req);
	uint64_t since;
	bool foreign;

	if (!read_since(req, events, streams, &since, &foreign))
		return;
	if (streams)
		stream(req, events, since, foreign);
	else
		page(req, events, since, foreign);
}
