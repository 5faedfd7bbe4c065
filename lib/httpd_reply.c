/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers. A response is made by httpd_reply() and queued by MHD's next call for the request (httpd_req.c), because MHD takes
 * one only there. A stream is a response whose reader suspends the connection while nothing is held,
 * and which httpd_stream_write() wakes: the reader's pace is the limit, what is held in between is bounded.
 */
#include "lib/httpd_impl.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define STREAM_BLOCK_BYTES (16 * KIB)
#define HEADERS_MAX_BYTES  (16 * KIB)

bool httpd_headers_any(const struct httpd_req *req)
{
	return req->headers.len > 0;
}

void httpd_add_header(struct httpd_req *req, const char *name, const char *value)
{
	size_t before = req->headers.len;

	for (const char *p = value; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return;
	}
	req->headers.max = HEADERS_MAX_BYTES;
	if (buf_add(&req->headers, name, strlen(name) + 1) < 0 ||
		buf_add(&req->headers, value, strlen(value) + 1) < 0)
		req->headers.len = before;
}

void httpd_add_headerf(struct httpd_req *req, const char *name, const char *fmt, ...)
{
	_cleanup_free_ char *value = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&value, fmt, ap);
	va_end(ap);
	if (n < 0)
		value = NULL;
	else
		httpd_add_header(req, name, value);
}

void httpd_set_response(
	struct httpd_req *req, unsigned int status, const char *type, struct MHD_Response *response)
{
	const char *p = req->headers.data ? req->headers.data : "";
	const char *end = p + req->headers.len;

	if (!response) {
		/* Out of memory: without an answer the connection is closed. */
		req->state = REQ_GONE;
		httpd_req_resume(req);
		return;
	}
	if (type)
		MHD_add_response_header(response, "Content-Type", type);
	while (p < end) {
		const char *value = p + strlen(p) + 1;

		MHD_add_response_header(response, p, value);
		p = value + strlen(value) + 1;
	}
	buf_fini(&req->headers);
	req->response = response;
	req->status = status;
	req->state = REQ_ANSWERED;
	httpd_req_resume(req);
}

bool httpd_may_answer(const struct httpd_req *req)
{
	return req->state != REQ_ANSWERED && req->state != REQ_GONE;
}

const char *httpd_added_header(const struct httpd_req *req, const char *name)
{
	const char *p = req->headers.data ? req->headers.data : "";
	const char *end = p + req->headers.len;

	while (p < end) {
		const char *value = p + strlen(p) + 1;

		if (strcasecmp(p, name) == 0)
			return value;
		p = value + strlen(value) + 1;
	}
	return NULL;
}

static void reply(struct httpd_req *req, unsigned int status, const char *type, void *data,
	size_t len, enum MHD_ResponseMemoryMode mode)
{
	if (req->layer)
		req->layer->answered(req, req->layer_data,
			&(struct httpd_answer){
				.status = status, .type = type, .data = data, .len = len});
	httpd_set_response(req, status, type, MHD_create_response_from_buffer(len, data, mode));
}

void httpd_reply(
	struct httpd_req *req, unsigned int status, const char *type, const void *data, size_t len)
{
	union {
		const void *in;
		void *out;
	} u = {.in = data}; /* MHD copies, but its prototype does not say so */

	if (httpd_may_answer(req))
		reply(req, status, type, len ? u.out : NULL, len,
			len ? MHD_RESPMEM_MUST_COPY : MHD_RESPMEM_PERSISTENT);
}

void httpd_reply_take(
	struct httpd_req *req, unsigned int status, const char *type, void *data, size_t len)
{
	if (httpd_may_answer(req))
		reply(req, status, type, data, len, MHD_RESPMEM_MUST_FREE);
	else
		free(data);
}

void httpd_replyf(
	struct httpd_req *req, unsigned int status, const char *type, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		httpd_reply(req, 500, NULL, NULL, 0);
	else
		httpd_reply_take(req, status, type, text, (size_t)n);
}

/* The path goes back to the sender's browser: nothing in it may become markup. */
static void add_escaped(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (strchr("<>&\"'", *s))
			buf_printf(b, "&#%d;", *s);
		else
			buf_add(b, s, 1);
	}
}

/* The page that Express answers for an unknown route. */
static void not_found(struct httpd_req *req)
{
	struct buf page = {.max = 64 * KIB};

	buf_printf(&page,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<title>Error</title>\n</head>\n<body>\n<pre>Cannot %s ",
		req->method);
	add_escaped(&page, httpd_path(req));
	buf_addstr(&page, "</pre>\n</body>\n</html>\n");
	httpd_add_header(req, "X-Content-Type-Options", "nosniff");
	httpd_add_header(req, "Content-Security-Policy", "default-src 'none'");
	httpd_reply_take(req, 404, "text/html; charset=utf-8", page.data, page.len);
}

void httpd_error(struct httpd_req *req, unsigned int status, const char *sentence)
{
	if (req->h->cfg.error)
		req->h->cfg.error(req, status, sentence);
	if (!httpd_may_answer(req))
		return;
	if (status == 404 && !req->route)
		not_found(req);
	else
		httpd_replyf(req, status, "text/plain; charset=utf-8", "%s\n", sentence);
}

void httpd_reply_error(struct httpd_req *req, unsigned int status, const char *sentence)
{
	if (httpd_may_answer(req))
		httpd_error(req, status, sentence);
}

void httpd_defer(struct httpd_req *req, httpd_fn *gone)
{
	if (req->state != REQ_HANDLER)
		return;
	req->state = REQ_DEFERRED;
	req->gone = gone;
}

/* --- streams -------------------------------------------------------------------------------------------------- */
static ssize_t stream_read(void *arg, uint64_t pos, char *out, size_t max)
{
	struct httpd_stream *s = arg;
	size_t n = s->held.len - s->taken;

	(void)pos;
	if (n == 0 && (s->broken || (!s->ended && s->req->state == REQ_GONE)))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n == 0 && s->ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		httpd_req_suspend(s->req);
		return 0;
	}
	if (n > max)
		n = max;
	memcpy(out, s->held.data + s->taken, n);
	s->taken += n;
	if (s->taken == s->held.len) {
		s->held.len = s->taken = 0;
		if (!s->ended && s->drained)
			s->drained(s->arg);
	}
	return (ssize_t)n;
}

/* MHD asks for none: it is the answer to HEAD. */
static ssize_t no_body(void *arg, uint64_t pos, char *out, size_t max)
{
	(void)arg;
	(void)pos;
	(void)out;
	(void)max;
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

void httpd_stream_length(struct httpd_req *req, uint64_t bytes)
{
	req->answer_len = bytes;
}

/* With the headers that the answer to GET would have. */
static void answer_head(struct httpd_req *req, unsigned int status, const char *type)
{
	if (req->answer_len == MHD_SIZE_UNKNOWN)
		httpd_reply(req, status, type, NULL, 0);
	else
		httpd_set_response(req, status, type,
			MHD_create_response_from_callback(
				req->answer_len, STREAM_BLOCK_BYTES, no_body, NULL, NULL));
}

struct httpd_stream *httpd_stream_open(struct httpd_req *req, unsigned int status, const char *type,
	size_t max, void (*drained)(void *arg), void (*gone)(void *arg), void *arg)
{
	struct httpd_stream *s;

	if (!httpd_may_answer(req))
		return NULL;
	if (req->head) {
		answer_head(req, status, type);
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		httpd_error(req, 500, "out of memory");
		return NULL;
	}
	*s = (struct httpd_stream){
		.req = req, .held.max = max, .drained = drained, .gone = gone, .arg = arg};
	req->stream = s;
	httpd_set_response(req, status, type,
		MHD_create_response_from_callback(
			req->answer_len, STREAM_BLOCK_BYTES, stream_read, s, NULL));
	return s;
}

int httpd_stream_write(struct httpd_stream *s, const void *data, size_t len)
{
	int r;

	if (s->held.len - s->taken + len > s->held.max)
		return -EAGAIN;
	if (s->taken) {
		buf_consume(&s->held, s->taken);
		s->taken = 0;
	}
	r = buf_add(&s->held, data, len);
	if (r == 0 && len)
		httpd_req_resume(s->req);
	return r;
}

size_t httpd_stream_held(const struct httpd_stream *s)
{
	return s->held.len - s->taken;
}

void httpd_stream_end(struct httpd_stream *s)
{
	s->ended = true;
	httpd_req_resume(s->req);
}

void httpd_stream_break(struct httpd_stream *s)
{
	s->broken = true;
	httpd_stream_end(s);
}
