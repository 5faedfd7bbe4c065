/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request of a function, from its headers to the end of its answer (drawing in fn.h). While it waits nothing of its body is read;
 * then body and answer flow through two bounded buffers, each of which makes the side that fills it wait.
 *
 *   client --body()--> in --on_read()--> instance         instance --on_data()--> out (early until then) --> client
 *
 * The server glue sends an answer only when the request has been read whole: what the instance says before is held in `early`.
 * An answer that has begun can not become another one: what fails then is broken off, so that the client sees it.
 */
#include "daemon/core.h"
#include "daemon/fn/head.h"
#include "daemon/fn/impl.h"
#include "daemon/api/answer.h"
#include "daemon/image/config.h"
#include "daemon/image/store.h"
#include "daemon/instance/instance.h"
#include "daemon/network/network.h"
#include "lib/buf.h"
#include "lib/httpc.h"
#include "lib/httpd.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#define IN_MAX_BYTES     (64 * KIB) /* and one piece, which is smaller */
#define OUT_MAX_BYTES    (128 * KIB)
#define EARLY_MAX_BYTES  (1 * MIB)
#define ANSWER_MAX_BYTES (1024 * MIB)
#define HEADERS_MAX      128
#define RETRY_S          1
#define CONNECT_MS       500 /* then anew: the kernel would wait 1, 2, 4 s for the next try */
#define AGAIN_FIRST_NS   (1 * NS_PER_MS) /* nobody listens yet: asked again, later each time */
#define AGAIN_MAX_NS     (200 * NS_PER_MS)
#define RESEND_NS                                                                                  \
	(1 * NS_PER_S) /* its connection broke: that the instance has ended may be said in a moment */

enum call_state { CALL_QUEUED, CALL_RUNNING, CALL_ANSWERING, CALL_OVER };

struct fn_call {
	struct fn *fn;         /* NULL: it is over for the function */
	struct httpd_req *req; /* NULL: the client is gone */
	enum call_state state;
	struct fn_member *member; /* while RUNNING and ANSWERING */
	struct httpc_call *up;    /* NULL: not begun, or ended */
	struct loop_timer *timer; /* of its start, then of its answer */
	struct loop_timer *again;
	int64_t since_ns, deadline_ns, again_ns;
	char *target;
	/* the request's body */
	struct buf in;
	size_t in_taken;
	bool complete;   /* all of it came */
	bool consumed;   /* some of it went to the instance: it can not be sent again */
	bool in_waits;   /* the instance waits for more of it */
	bool body_waits; /* the client does, until there is room */
	/* how far it came when its last connection broke */
	bool sent, heard; /* some of it may be in the instance; some of an answer came */
	bool resent;      /* it was sent once more: not a third time */
	bool cold;        /* counted as such */
	/* the answer */
	bool head_seen, up_done, out_waits;
	unsigned status;
	int64_t length; /* -1: not known */
	char *type;
	struct buf headers, early; /* headers: name NUL value NUL ... */
	struct httpd_stream *out;
	uint64_t answered;
	struct fn_call *prev, *next; /* of queue (next only) or running */
};

/* --- lists ------------------------------------------------------------------------------------------------------- */
static void queue_add(struct fn_call *call)
{
	struct fn *fn = call->fn;

	call->next = NULL;
	*fn->queue_end = call;
	fn->queue_end = &call->next;
	fn->queued++;
}

static void queue_del(struct fn_call *call)
{
	struct fn *fn = call->fn;
	struct fn_call **p = &fn->queue;

	while (*p != call)
		p = &(*p)->next;
	*p = call->next;
	if (fn->queue_end == &call->next)
		fn->queue_end = p;
	fn->queued--;
	call->next = NULL;
}

static void running_add(struct fn_call *call)
{
	struct fn *fn = call->fn;

	call->prev = NULL;
	call->next = fn->running;
	if (call->next)
		call->next->prev = call;
	fn->running = call;
	fn->in_flight++;
	call->member->in_flight++;
}

static void running_del(struct fn_call *call)
{
	struct fn *fn = call->fn;

	if (call->prev)
		call->prev->next = call->next;
	else
		fn->running = call->next;
	if (call->next)
		call->next->prev = call->prev;
	call->prev = call->next = NULL;
	fn->in_flight--;
}

/* --- the end ----------------------------------------------------------------------------------------------------- */
/* The function has nothing to do with it any more. What is held is still sent. */
static void leave(struct fn_call *call)
{
	struct fn *fn = call->fn;
	struct fn_member *m = call->member;

	if (!fn)
		return;
	if (call->state == CALL_QUEUED)
		queue_del(call);
	else if (m)
		running_del(call);
	call->state = CALL_OVER;
	call->member = NULL;
	httpc_cancel(steal_ptr(&call->up));
	loop_timer_cancel(call->timer);
	loop_timer_cancel(call->again);
	fn->fns->calls--;
	call->fn = NULL;
	if (m && --m->in_flight == 0)
		member_rest(m);
	fn_look(fn);
}

static void call_free(void *data)
{
	struct fn_call *call = data;

	if (call->fn)
		call->fn->counters.gone++;
	leave(call);
	loop_timer_free(call->timer);
	loop_timer_free(call->again);
	buf_fini(&call->in);
	buf_fini(&call->early);
	buf_fini(&call->headers);
	free(call->target);
	free(call->type);
	free(call);
}

static void gone(struct httpd_req *req)
{
	struct fn_call *call = httpd_data(req);

	if (call->fn)
		call->fn->counters.gone++;
	call->req = NULL;
	leave(call);
}

/* An answer that has not begun becomes a problem, one that has is broken off. */
static void fail(struct fn_call *call, unsigned status, const char *code, const char *sentence)
{
	struct httpd_req *req = call->req;

	if (!call->fn)
		return;
	call->fn->counters.failed++;
	log_info("request failed", "fn=%s status=%u reason=\"%s\"", call->fn->name,
		call->out ? 0 : status, sentence);
	if (call->out)
		httpd_stream_break(steal_ptr(&call->out));
	else if (status == 503 || status == 429)
		answer_retry(req, status, code, RETRY_S, "%s", sentence);
	else
		answer_problem(req, status, code, "%s", sentence);
	leave(call);
}

void calls_refuse(struct fn *fn, unsigned status, const char *code, const char *sentence)
{
	char text[640];

	snprintf(text, sizeof(text), "function %s: %s", fn->name, sentence);
	while (fn->queue)
		fail(fn->queue, status, code, text);
}

/* --- once more --------------------------------------------------------------------------------------------------- */
static void note_progress(struct fn_call *call, const struct httpc_call *up)
{
	call->sent = httpc_has_sent(up);
	call->heard = call->head_seen || httpc_has_received(up);
}

/* What no instance has got anything of may be another one's. What one may have got is sent once more, if twice is the same as once
 * (RFC 9110 section 9.2.2), nothing of an answer came, and all of it is still here. */
static bool take_another_try(struct fn_call *call)
{
	if (call->heard || call->consumed || call->fn->removing || call->fn->fns->stopping)
		return false;
	if (call->sent && (call->resent || !fn_method_is_idempotent(httpd_method(call->req))))
		return false;
	call->resent = call->resent || call->sent;
	call->sent = false;
	call->in_waits = false;
	call->fn->counters.retries++;
	return true;
}

/* Before all others: it was there before them. */
static void queue_again(struct fn_call *call)
{
	struct fn *fn = call->fn;

	running_del(call);
	call->member->in_flight--;
	call->member = NULL;
	call->state = CALL_QUEUED;
	call->next = fn->queue;
	fn->queue = call;
	if (!call->next)
		fn->queue_end = &call->next;
	fn->queued++;
	httpc_cancel(steal_ptr(&call->up));
	loop_timer_cancel(call->again);
	loop_timer_set(call->timer, call->deadline_ns - loop_now_ns());
}

void calls_lost(struct fn_member *m, const char *why)
{
	struct fn *fn = m->fn;
	struct fn_call *call = fn->running, *next;
	bool looking = fn->looking;
	char text[640];

	snprintf(text, sizeof(text), "function %s: its instance ended before it answered: %s",
		fn->name, why);
	fn->looking = true; /* who calls this looks when all of them have left */
	for (; call; call = next) {
		next = call->next;
		if (call->member != m)
			continue;
		if (call->up)
			note_progress(call, call->up);
		if (loop_now_ns() < call->deadline_ns && take_another_try(call))
			queue_again(call);
		else
			fail(call, 502, "fn_instance_lost", text);
	}
	fn->looking = looking;
}

/* --- the answer -------------------------------------------------------------------------------------------------- */
static void stream_gone(void *arg)
{
	struct fn_call *call = arg;

	call->out = NULL;
	call->req = NULL;
	if (call->fn &&
		!(call->up_done || (call->length >= 0 && call->answered == (uint64_t)call->length)))
		call->fn->counters.gone++;
	leave(call);
}

static void drained(void *arg)
{
	struct fn_call *call = arg;

	if (!call->out_waits || !call->up)
		return;
	call->out_waits = false;
	httpc_go_on(call->up);
}

/* It waited for a start. An instance of an earlier manager needs none, though it may take a moment until this one knows that it is ready. */
static bool is_cold(const struct fn_call *call)
{
	return !call->member->adopted && call->member->ready_ns > call->since_ns;
}

static void add_headers(struct fn_call *call)
{
	const char *p = call->headers.data, *end = p ? p + call->headers.len : NULL;

	while (p < end) {
		const char *value = p + strlen(p) + 1;

		httpd_add_header(call->req, p, value);
		p = value + strlen(value) + 1;
	}
	httpd_add_header(call->req, "X-Uigniter-Start", is_cold(call) ? "cold" : "warm");
	httpd_add_header(call->req, "X-Uigniter-Instance", call->member->inst->id);
}

static void end_answer(struct fn_call *call)
{
	call->fn->failures = 0;
	call->fn->reason[0] = '\0';
	if (call->out)
		httpd_stream_end(steal_ptr(&call->out));
	leave(call);
}

/* The request has been read whole, or nobody wants the rest of it. */
static void begin_answer(struct fn_call *call)
{
	bool empty = call->status == 204 || call->status == 304;

	call->state = CALL_ANSWERING;
	add_headers(call);
	if (call->length >= 0)
		httpd_stream_length(call->req, (uint64_t)call->length);
	if (empty)
		httpd_reply(call->req, call->status, call->type, NULL, 0);
	else
		call->out = httpd_stream_open(call->req, call->status, call->type,
			EARLY_MAX_BYTES + OUT_MAX_BYTES, drained, stream_gone, call);
	if (call->out && call->early.len)
		httpd_stream_write(call->out, call->early.data, call->early.len);
	buf_fini(&call->early);
	if (call->up_done) {
		end_answer(call);
	} else if (call->out_waits) {
		call->out_waits = false;
		httpc_go_on(call->up);
	}
}

static bool take_header(void *arg, const char *name, const char *value)
{
	struct fn_call *call = arg;
	size_t before = call->headers.len;

	if (strcasecmp(name, "Content-Type") == 0) {
		free(call->type);
		call->type = strdup(value);
	} else if (buf_add(&call->headers, name, strlen(name) + 1) < 0 ||
		buf_add(&call->headers, value, strlen(value) + 1) < 0) {
		call->headers.len = before;
		return false;
	}
	return true;
}

struct down {
	struct fn_call *call;
	struct fn_connection connection;
};

static bool note_connection(void *arg, const char *name, const char *value)
{
	if (strcasecmp(name, "Connection") == 0)
		fn_connection_add(arg, value);
	return true;
}

static bool pass_down(void *arg, const char *name, const char *value)
{
	struct down *down = arg;

	return !fn_passes_down(&down->connection, name, value) ||
		take_header(down->call, name, value);
}

static int on_head(void *arg, const struct httpc_response *resp)
{
	struct fn_call *call = arg;
	struct down down = {.call = call};
	const char *length = httpc_header(resp, "Content-Length");

	call->head_seen = true;
	call->status = (unsigned)resp->status;
	call->length = -1;
	if (length && *length >= '0' && *length <= '9' && !httpc_header(resp, "Transfer-Encoding"))
		call->length = (int64_t)strtoull(length, NULL, 10);
	if (call->length < -1 || call->length > (int64_t)ANSWER_MAX_BYTES || call->status > 599)
		return -EINVAL;
	loop_timer_cancel(call->timer);
	buf_init(&call->headers, HTTPC_HEAD_MAX_BYTES);
	httpc_each_header(resp, note_connection, &down.connection);
	httpc_each_header(resp, pass_down, &down);
	if (call->complete)
		begin_answer(call);
	return 0;
}

static int on_data(void *arg, int status, const void *data, size_t len)
{
	struct fn_call *call = arg;
	int r;

	(void)status;
	if (call->answered + len > ANSWER_MAX_BYTES)
		return -EMSGSIZE;
	if (call->state == CALL_ANSWERING) {
		r = !call->out ? 0
			: httpd_stream_held(call->out) + len > OUT_MAX_BYTES
			? -EAGAIN
			: httpd_stream_write(call->out, data, len);
	} else {
		r = call->early.len + len > EARLY_MAX_BYTES ? -EAGAIN
							    : buf_add(&call->early, data, len);
	}
	call->out_waits = r == -EAGAIN;
	if (r == 0)
		call->answered += len;
	return r;
}

/* --- the request ------------------------------------------------------------------------------------------------- */
static void let_body_come(struct fn_call *call)
{
	if (!call->body_waits)
		return;
	call->body_waits = false;
	httpd_body_go_on(call->req);
}

static ssize_t on_read(void *arg, void *out, size_t max)
{
	struct fn_call *call = arg;
	size_t n = call->in.len - call->in_taken;

	if (n > max)
		n = max;
	if (n == 0 && !call->complete) {
		call->in_waits = true;
		return -EAGAIN;
	}
	if (n == 0)
		return 0;
	memcpy(out, call->in.data + call->in_taken, n);
	call->consumed = true;
	call->in_taken += n;
	if (call->in_taken == call->in.len) {
		call->in.len = call->in_taken = 0;
		let_body_come(call);
	}
	if (!call->head_seen)
		loop_timer_set(call->timer, call->fn->spec.timeout_ms * NS_PER_MS);
	return (ssize_t)n;
}

static int open_socket(void *arg)
{
	struct fn_call *call = arg;

	return network_socket(call->fn->fns->core->network, SOCK_STREAM);
}

static const char *sentence_of(
	struct fn_call *call, const struct httpc_response *resp, char *text, size_t size)
{
	snprintf(text, size, "function %s: its instance %.63s gave no complete answer: %.200s",
		call->fn->name, call->member->inst->name, resp->error);
	return text;
}

/* It is ready, or says so, but its port is not, or it has just ended and that is not known yet: as long as a start may last. More wait to
 * be accepted than it lets wait: as long as its answer may last. */
static bool try_again(struct fn_call *call, const struct httpc_response *resp)
{
	bool full = resp->code == -EHOSTUNREACH, sent;

	if (!full && resp->code != -ECONNREFUSED && resp->code != -EIO)
		return false;
	note_progress(call, resp->call);
	sent = call->sent;
	if ((!full && loop_now_ns() >= call->deadline_ns) || !take_another_try(call))
		return false;
	loop_timer_set(call->again, sent ? RESEND_NS : call->again_ns);
	call->again_ns = call->again_ns * 2 > AGAIN_MAX_NS ? AGAIN_MAX_NS : call->again_ns * 2;
	return true;
}

static void done(void *arg, const struct httpc_response *resp)
{
	struct fn_call *call = arg;
	char text[640];

	call->up = NULL;
	if (resp->code == 0 && call->head_seen) {
		call->up_done = true;
		if (call->state == CALL_ANSWERING)
			end_answer(call);
		else
			begin_answer(call);
		return;
	}
	if (!try_again(call, resp))
		fail(call, resp->code == -ETIMEDOUT || resp->code == -EHOSTUNREACH ? 504 : 502,
			"fn_bad_answer", sentence_of(call, resp, text, sizeof(text)));
}

/* --- what is sent ------------------------------------------------------------------------------------------------ */
struct up {
	struct fn_call *call;
	struct fn_connection connection;
	const char *lines[HEADERS_MAX + 1]; /* owned */
	unsigned count;
	bool token, full;
};

__attribute__((format(printf, 2, 3))) static void add_line(struct up *up, const char *fmt, ...)
{
	char *line = NULL;
	va_list ap;
	int n;

	if (up->count == HEADERS_MAX) {
		up->full = true;
		return;
	}
	va_start(ap, fmt);
	n = vasprintf(&line, fmt, ap);
	va_end(ap);
	if (n < 0)
		up->full = true;
	else
		up->lines[up->count++] = line;
}

static bool pass_up(void *arg, const char *name, const char *value)
{
	struct up *up = arg;

	if (fn_passes_up(&up->connection, name, value, up->token))
		add_line(up, "%s: %s", name, value);
	return true;
}

static void make_lines(struct up *up)
{
	struct httpd_req *req = up->call->req;
	const char *host = httpd_header(req, "Host");
	char peer[64];

	httpd_peer(req, peer, sizeof(peer));
	peer[strcspn(peer, ":")] = '\0';
	httpd_each_header(req, note_connection, &up->connection);
	httpd_each_header(req, pass_up, up);
	add_line(up, "Via: 1.1 uigniter");
	if (strcmp(peer, "unix") != 0)
		add_line(up, "X-Forwarded-For: %s", peer);
	add_line(up, "X-Forwarded-Proto: http");
	add_line(up, "X-Forwarded-Prefix: /fn/%s/invoke", up->call->fn->name);
	if (host && *host)
		add_line(up, "X-Forwarded-Host: %.255s", host);
}

static int start_transfer(struct fn_call *call)
{
	const struct core *core = call->fn->fns->core;
	const struct instance *inst = call->member->inst;
	struct up up = {.call = call, .token = core->config.token_file != NULL};
	char url[64], ip[IPV4_TEXT_BYTES];
	int r;

	ipv4_format(inst->ip, ip);
	snprintf(url, sizeof(url), "http://%s:%u/", ip,
		call->fn->spec.port ? call->fn->spec.port
				    : image_config_ready_port(inst->image->config));
	make_lines(&up);
	r = up.full ? -E2BIG
		    : httpc_start(call->fn->fns->httpc,
			      &(struct httpc_request){.method = httpd_method(call->req),
				      .url = url,
				      .headers = up.lines,
				      .target = call->target,
				      .no_defaults = true,
				      .own_connection = true,
				      .connect_timeout_ms = CONNECT_MS,
				      .socket = open_socket,
				      .on_read = on_read,
				      .read_len = call->complete && !call->in.len
					      ? 0
					      : httpd_content_length(call->req),
				      .on_head = on_head,
				      .on_data = on_data,
				      .done = done,
				      .arg = call},
			      &call->up);
	for (unsigned n = 0; n < up.count; n++)
		free((char *)(uintptr_t)up.lines[n]);
	return r;
}

static void transfer(void *arg)
{
	struct fn_call *call = arg;
	int r = start_transfer(call);

	if (r < 0)
		fail(call, r == -E2BIG ? 431 : 500, r == -E2BIG ? "too_many_headers" : "internal",
			r == -E2BIG ? "the request has too many headers"
				    : "there is no memory for the request");
}

void call_run(struct fn_call *call, struct fn_member *m)
{
	struct fn *fn = call->fn;

	queue_del(call);
	call->state = CALL_RUNNING;
	call->member = m;
	running_add(call);
	loop_timer_cancel(m->idle);
	if (is_cold(call) && !call->cold) {
		call->cold = true;
		fn->counters.cold++;
		fn->counters.cold_ns += (uint64_t)(loop_now_ns() - call->since_ns);
	}
	loop_timer_set(call->timer, fn->spec.timeout_ms * NS_PER_MS);
	call->again_ns = AGAIN_FIRST_NS;
	let_body_come(call);
	transfer(call);
}

/* --- from the client --------------------------------------------------------------------------------------------- */
static void too_late(void *arg)
{
	struct fn_call *call = arg;
	char text[640];

	if (call->state == CALL_QUEUED)
		snprintf(text, sizeof(text), "function %s: no instance was free within %u ms%s%s",
			call->fn->name, call->fn->spec.start_timeout_ms,
			call->fn->reason[0] ? ": " : "", call->fn->reason);
	else
		snprintf(text, sizeof(text),
			"function %s: its instance %.63s did not answer within %u ms",
			call->fn->name, call->member->inst->name, call->fn->spec.timeout_ms);
	fail(call, 504, "fn_timeout", text);
}

static void reject(
	struct fn *fn, struct httpd_req *req, unsigned status, const char *code, const char *why)
{
	fn->counters.rejected++;
	answer_retry(req, status, code, RETRY_S, "function %s: %s", fn->name, why);
}

/* false: it is answered. */
static bool may_come(struct fn *fn, struct httpd_req *req)
{
	if (fn->removing)
		answer_problem(req, 404, "not_found", "function %s is being removed", fn->name);
	else if (!fn_method_is_valid(httpd_method(req)))
		answer_problem(req, 400, "bad_request", "functions have no such method");
	else if (httpd_is_head(req) && httpd_content_length(req) != 0)
		answer_problem(req, 400, "bad_request", "HEAD has no body");
	else if (fn->fns->stopping)
		reject(fn, req, 503, "unavailable", "the manager is ending");
	else if (fn_is_failing(fn) && !members_in(fn, MEMBER_READY))
		reject(fn, req, 503, "fn_failing", fn->reason);
	else if (fn->queued >= fn->spec.queue && !member_free_slot(fn))
		reject(fn, req, 429, "fn_busy", "too many requests wait for it already");
	else if (fn->fns->calls >= FN_CALLS_MAX)
		reject(fn, req, 503, "fn_busy", "too many requests of all functions");
	else
		return true;
	return false;
}

static struct fn_call *call_new(struct fn *fn, struct httpd_req *req, const char *target)
{
	struct fn_call *call = calloc(1, sizeof(*call));
	struct loop *loop = fn->fns->core->loop;

	if (!call)
		return NULL;
	*call = (struct fn_call){.req = req, .since_ns = loop_now_ns()};
	buf_init(&call->in, 2 * IN_MAX_BYTES);
	call->target = strdup(target);
	if (!call->target || loop_timer_new(loop, too_late, call, &call->timer) < 0 ||
		loop_timer_new(loop, transfer, call, &call->again) < 0) {
		call_free(call);
		return NULL;
	}
	call->fn = fn;
	return call;
}

void fn_call_begin(struct fn *fn, struct httpd_req *req, const char *target)
{
	int64_t wait_ns = fn->spec.start_timeout_ms * NS_PER_MS;
	struct fn_call *call;

	if (!may_come(fn, req))
		return;
	call = call_new(fn, req, target);
	if (!call) {
		answer_problem(req, 500, "internal", "there is no memory for the request");
		return;
	}
	httpd_set_data(req, call, call_free);
	call->complete = httpd_content_length(req) == 0;
	call->deadline_ns = call->since_ns + wait_ns;
	fn->fns->calls++;
	fn->counters.requests++;
	queue_add(call);
	loop_timer_set(call->timer, wait_ns);
	fn_look(fn);
}

static void go_on_up(struct fn_call *call)
{
	if (!call->in_waits || !call->up)
		return;
	call->in_waits = false;
	httpc_go_on(call->up);
}

int fn_call_body(struct httpd_req *req, const void *data, size_t len)
{
	struct fn_call *call = httpd_data(req);
	int r;

	if (!call || !call->fn)
		return 0; /* it is answered: the rest is thrown away */
	if (call->state == CALL_QUEUED || call->in.len - call->in_taken >= IN_MAX_BYTES) {
		call->body_waits = true;
		return -EAGAIN;
	}
	if (call->in_taken) {
		buf_consume(&call->in, call->in_taken);
		call->in_taken = 0;
	}
	r = buf_add(&call->in, data, len);
	if (r < 0)
		return r;
	go_on_up(call);
	return 0;
}

void fn_call_complete(struct httpd_req *req)
{
	struct fn_call *call = httpd_data(req);

	if (!call || !call->fn)
		return;
	call->complete = true;
	httpd_defer(req, gone);
	go_on_up(call);
	if (call->fn && call->head_seen && call->state == CALL_RUNNING)
		begin_answer(call);
}
