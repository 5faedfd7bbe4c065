/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /vm/{id}/logs: what the console's file has, and with follow what comes. A reader that is too slow loses bytes, and
 * is told so in the stream; nothing grows without bound.
 */
#include "daemon/api/api.h"
#include "daemon/api/query.h"
#include "daemon/console.h"
#include "daemon/instance.h"

#include <string.h>

#define TAIL_MAX_BYTES   (8 * MIB) /* both files of a console */
#define STREAM_MAX_BYTES (TAIL_MAX_BYTES + 1 * MIB)
#define LOG_TYPE         "text/plain; charset=utf-8"

struct follow {
	struct httpd_stream *stream;
	struct console_follower *follower; /* NULL: the console is at its end */
	size_t lost;                       /* bytes, since the last that were taken */
};

static bool write_gap(struct follow *f)
{
	char line[80];
	int n = snprintf(
		line, sizeof(line), "\n[%zu bytes were left out for a slow reader]\n", f->lost);

	if (f->lost && httpd_stream_write(f->stream, line, (size_t)n) < 0)
		return false;
	f->lost = 0;
	return true;
}

static void hear(void *arg, const char *data, size_t len)
{
	struct follow *f = arg;

	if (!data) {
		write_gap(f);
		httpd_stream_end(f->stream);
		free(f);
		return;
	}
	if (!write_gap(f) || httpd_stream_write(f->stream, data, len) < 0)
		f->lost += len;
}

/* The client went away. */
static void gone(void *arg)
{
	struct follow *f = arg;

	if (f->follower)
		console_unfollow(f->follower);
	free(f);
}

static void follow(struct httpd_req *req, const struct instance *i, const struct buf *text)
{
	struct follow *f = calloc(1, sizeof(*f));

	if (!f) {
		answer_problem(req, 500, "internal", "there is no memory to follow with");
		return;
	}
	f->stream = httpd_stream_open(req, 200, LOG_TYPE, STREAM_MAX_BYTES, NULL, gone, f);
	if (!f->stream) {
		free(f);
		return;
	}
	if (text->len)
		httpd_stream_write(f->stream, text->data, text->len);
	f->follower = console_follow(i->shell->console, hear, f);
	if (!f->follower)
		hear(f, NULL, 0);
}

void vm_logs(struct httpd_req *req)
{
	struct instance *i = api_instance(req);
	_cleanup_buf_ struct buf text;
	bool follows = false;
	long lines = -1;
	int r;

	buf_init(&text, 0);
	if (!i || !query_bool(req, "follow", &follows) ||
		!query_long(req, "tail", 0, 1000000, &lines))
		return;
	r = console_tail(i->log, TAIL_MAX_BYTES, lines, &text);
	if (r < 0)
		answer_problem(req, 500, "internal", "cannot read the console of VM %s: %s",
			i->name, strerror(-r));
	else if (follows && i->shell && !httpd_is_head(req))
		follow(req, i, &text);
	else
		httpd_reply(req, 200, LOG_TYPE, text.len ? text.data : "", text.len);
}
