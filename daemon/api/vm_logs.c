/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /vm/{id}/logs: what the console's files have, and with follow what comes; as bytes, or to a client that accepts text/event-stream as
 * events (log_events.h). Each reader is at a place of its own in the files and takes from them what its connection
 * has room for. One that is so slow that its place is not kept any more loses bytes, and is told so in the stream.
 */
#include "daemon/api/api.h"
#include "daemon/api/log_events.h"
#include "daemon/api/query.h"
#include "daemon/console.h"
#include "daemon/instance/instance.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define TAIL_MAX_BYTES (2 * CONSOLE_FILE_BYTES)
#define PIECE_BYTES    (2 * LOG_LINE_MAX_BYTES)
#define HELD_BYTES     (32 * KIB) /* for a reader: enough to go on with */
#define STREAM_MAX_BYTES                                                                           \
	(HELD_BYTES + 128 * KIB) /* a line of carriage returns is an event of 7 times its length */
#define LOG_TYPE    "text/plain; charset=utf-8"
#define EVENTS_TYPE "text/event-stream"

struct reader {
	struct httpd_stream *stream;
	struct console_follower *follower; /* NULL: nothing comes any more */
	struct console_reader log;
	uint64_t at;   /* the byte that is next */
	uint64_t stop; /* where it ends, whatever comes */
	bool events;
};

static void reader_free(struct reader *r)
{
	if (r->follower)
		console_unfollow(r->follower);
	console_reader_fini(&r->log);
	free(r);
}

static void gone(void *arg)
{
	reader_free(arg);
}

static void end(struct reader *r)
{
	static const char text[] = "event: end\ndata: {}\n\n";

	if (r->events)
		httpd_stream_write(r->stream, text, sizeof(text) - 1);
	httpd_stream_end(r->stream);
	reader_free(r);
}

static void write_gap(struct reader *r, uint64_t lost)
{
	char text[96];
	int n = snprintf(text, sizeof(text),
		r->events ? "event: gap\ndata: {\"lost\":%llu}\n\n"
			  : "\n[%llu bytes were left out for a slow reader]\n",
		(unsigned long long)lost);

	httpd_stream_write(r->stream, text, (size_t)n);
}

/* What was taken of a piece, or -errno. last: nothing comes behind it. */
static ssize_t write_events(struct reader *r, const char *data, size_t len, bool last)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < len && n > 0 && httpd_stream_held(r->stream) < HELD_BYTES) {
		_cleanup_buf_ struct buf text;

		buf_init(&text, 0);
		n = log_event(&text, r->at + done, data + done, len - done, last);
		if (n > 0 && httpd_stream_write(r->stream, text.data, text.len) < 0)
			n = -ENOMEM;
		done += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? n : (ssize_t)done;
}

/* The next piece. 0: there is none now. Or -errno. */
static ssize_t pass_on(struct reader *r)
{
	char piece[PIECE_BYTES];
	uint64_t first, behind;
	int rc = console_reader_extent(&r->log, &first, &behind);
	ssize_t n;

	if (rc < 0)
		return rc;
	if (r->at < first) {
		write_gap(r, first - r->at);
		r->at = first;
	}
	behind = behind < r->stop ? behind : r->stop;
	if (r->at >= behind)
		return 0;
	n = console_reader_read(&r->log, r->at, piece,
		behind - r->at < sizeof(piece) ? behind - r->at : sizeof(piece));
	if (n <= 0)
		return n;
	if (r->events)
		n = write_events(
			r, piece, (size_t)n, !r->follower && r->at + (uint64_t)n >= behind);
	else if ((rc = httpd_stream_write(r->stream, piece, (size_t)n)) < 0)
		n = rc;
	r->at += n > 0 ? (uint64_t)n : 0;
	return n;
}

/* As much as there is room for. The reader may be gone after it. */
static void pump(struct reader *r)
{
	ssize_t n = 1;

	while (n > 0 && httpd_stream_held(r->stream) < HELD_BYTES)
		n = pass_on(r);
	if (n < 0 || (n == 0 && !r->follower))
		end(r);
}

static void hear(void *arg, const char *data, size_t len)
{
	struct reader *r = arg;
	uint64_t first, behind;

	(void)len;
	if (!data) {
		r->follower = NULL;
		/* the VM may be removed next: what is open now stays readable */
		console_reader_extent(&r->log, &first, &behind);
	}
	pump(r);
}

static void drained(void *arg)
{
	pump(arg);
}

/* Where a reader begins: at its Last-Event-ID, behind what it has (since), or at the last lines. -1: not said. 0 or -errno. */
static int begin(struct reader *r, const struct httpd_req *req, const struct instance *i,
	long lines, long since)
{
	_cleanup_buf_ struct buf text;
	uint64_t first, behind, seen;
	int rc = console_reader_extent(&r->log, &first, &behind);

	buf_init(&text, 0);
	if (rc < 0)
		return rc;
	r->at = first;
	r->stop = behind;
	if (r->events && log_event_id(httpd_header(req, "Last-Event-ID"), &seen) &&
		seen <= behind) {
		r->at = seen;
	} else if (since >= 0) {
		r->at = (uint64_t)since < behind ? (uint64_t)since : behind;
		if (!r->events && r->at < first)
			r->at = first; /* the header says so */
	} else if (lines >= 0) {
		rc = console_tail(i->log, TAIL_MAX_BYTES, lines, &text);
		r->at = behind - text.len;
	}
	return rc;
}

static void read_on(struct httpd_req *req, struct reader *r, const struct instance *i, bool follows)
{
	if (r->events)
		httpd_add_header(req, "Cache-Control", "no-store");
	else
		httpd_add_headerf(req, "Uigniter-Offset", "%llu", (unsigned long long)r->at);
	r->stream = httpd_stream_open(
		req, 200, r->events ? EVENTS_TYPE : LOG_TYPE, STREAM_MAX_BYTES, drained, gone, r);
	if (!r->stream) {
		reader_free(r);
		return;
	}
	if (r->events)
		httpd_stream_write(r->stream, ": hello\n\n", 9);
	if (follows && i->shell)
		r->follower = console_follow(i->shell->console, hear, r);
	if (r->follower)
		r->stop = UINT64_MAX;
	pump(r);
}

void vm_logs(struct httpd_req *req)
{
	const char *accept = httpd_header(req, "Accept");
	bool events = accept && strstr(accept, EVENTS_TYPE), follows = events;
	struct instance *i = api_instance(req);
	struct reader *r;
	long lines = -1, since = -1;
	int rc = -ENOMEM;

	if (!i || !query_bool(req, "follow", &follows) ||
		!query_long(req, "tail", 0, 1000000, &lines) ||
		!query_long(req, "since", 0, LONG_MAX, &since))
		return;
	r = calloc(1, sizeof(*r));
	if (r) {
		r->events = events;
		rc = console_reader_init(&r->log, i->log);
		rc = rc < 0 ? rc : begin(r, req, i, lines, since);
	}
	if (rc == 0) {
		read_on(req, r, i, follows);
		return;
	}
	if (r)
		reader_free(r);
	answer_problem(req, 500, "internal", "cannot read the console of VM %s: %s", i->name,
		strerror(-rc));
}
