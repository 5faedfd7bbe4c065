/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one request, driven by MHD's callbacks:
 *
 *   httpd_req_begin (request line) -> access #1 (headers) -> access with data ... -> access (complete) -> completed
 *                                      begin()                body(), part()          handler()            done()
 *
 * An answer that is made before the body is read is kept until the body has been thrown away: queued at once, it would
 * make MHD close the connection under the client's hands. Only a client that waits for "100 Continue" is answered at once.
 */
#include "lib/httpd_impl.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define PP_BUFFER_BYTES (64 * KIB) /* a file comes in pieces of at most so much */

void *httpd_req_begin(void *listener, const char *uri, struct MHD_Connection *mhd)
{
	struct httpd_listener *l = listener;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct httpd_conn *conn = info ? info->socket_context : NULL;
	struct httpd_req *req = conn ? calloc(1, sizeof(*req)) : NULL;

	if (!req)
		return NULL;
	*req = (struct httpd_req){.h = l->h,
		.conn = conn,
		.mhd = mhd,
		.state = REQ_HEAD,
		.answer_len = MHD_SIZE_UNKNOWN,
		.start_ns = loop_now_ns()};
	req->target = strdup(uri ? uri : ""); /* a request line may end behind its method */
	if (!req->target) {
		free(req);
		return NULL;
	}
	conn->req = req;
	l->h->req_count++;
	httpd_conn_deadline(conn, l->h->cfg.head_timeout_s * NS_PER_S);
	return req;
}

static bool method_fits(const char *want, const struct httpd_req *req)
{
	return strcmp(want, req->method) == 0 || strcmp(want, "*") == 0 ||
		(req->head && strcmp(want, "GET") == 0);
}

/* Adds the Allow header when another method fits the path. */
static bool add_allow(struct httpd_req *req)
{
	struct httpd *h = req->h;
	struct buf allow = {.max = 256};

	for (size_t i = 0; i < h->cfg.route_count; i++) {
		const struct httpd_route *r = &h->cfg.routes[i];
		struct httpd_params params;

		if (!httpd_path_match(&req->path, r->pattern, h->cfg.lenient_paths, &params))
			continue;
		httpd_params_fini(&params);
		if (!allow.data || !strstr(allow.data, r->method))
			buf_printf(&allow, "%s%s%s", allow.len ? ", " : "", r->method,
				strcmp(r->method, "GET") == 0 ? ", HEAD" : "");
	}
	if (allow.data)
		httpd_add_header(req, "Allow", allow.data);
	buf_fini(&allow);
	return httpd_headers_any(req);
}

static void find_route(struct httpd_req *req)
{
	struct httpd *h = req->h;

	for (size_t i = 0; i < h->cfg.route_count; i++) {
		const struct httpd_route *r = &h->cfg.routes[i];

		if (method_fits(r->method, req) &&
			httpd_path_match(
				&req->path, r->pattern, h->cfg.lenient_paths, &req->params)) {
			req->route = r;
			return;
		}
	}
	if (h->cfg.answer_405 && add_allow(req))
		httpd_error(req, 405, "this method is not allowed here");
	else if (!h->cfg.fallback)
		httpd_error(req, 404, "there is nothing at this path");
}

static uint64_t body_max(const struct httpd_req *req)
{
	return req->route && req->route->body_max ? req->route->body_max : HTTPD_BODY_MAX_BYTES;
}

/* What the headers alone can decide. */
static void check_headers(struct httpd_req *req)
{
	int r = httpd_path_parse(&req->path, req->target);

	if (r < 0) {
		httpd_error(req, r == -ENOMEM ? 500 : 400, "the path of the request is malformed");
		return;
	}
	find_route(req);
	if (!req->route)
		return;
	if (httpd_content_length(req) > 0 && (uint64_t)httpd_content_length(req) > body_max(req)) {
		httpd_error(req, 413, "the body is larger than this path takes");
		return;
	}
	if (req->route->begin)
		req->route->begin(req);
}

static int part_code(struct httpd_req *req, int r)
{
	if (r == -EMSGSIZE)
		httpd_error(req, 413, "the body is larger than this path takes");
	else if (r == -ENOSPC)
		httpd_error(req, 507, "there is no space left");
	else if (r == -ENOMEM)
		httpd_error(req, 500, "out of memory");
	else if (r < 0)
		httpd_error(req, 400, "the body is malformed");
	return r;
}

static enum MHD_Result on_part(void *arg, enum MHD_ValueKind kind, const char *key,
	const char *filename, const char *type, const char *encoding, const char *data,
	uint64_t off, size_t size)
{
	struct httpd_req *req = arg;
	struct httpd_part part = {
		.name = key ? key : "", .filename = filename, .type = type, .offset = off};

	(void)kind;
	(void)encoding;
	part.multipart = req->is_form && !req->urlencoded;
	req->part_error = req->route->part(req, &part, data, size);
	return req->part_error < 0 || req->state == REQ_ANSWERED ? MHD_NO : MHD_YES;
}

static void open_form(struct httpd_req *req)
{
	const char *type = httpd_header(req, "Content-Type");

	if (!type)
		return;
	req->urlencoded = strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0;
	if (!req->urlencoded && strncasecmp(type, "multipart/form-data", 19) != 0)
		return;
	req->pp = MHD_create_post_processor(req->mhd, PP_BUFFER_BYTES, on_part, req);
	if (!req->pp)
		httpd_error(req, 400, "the form's boundary is missing or not usable");
	req->is_form = req->pp != NULL;
}

static void close_form(struct httpd_req *req)
{
	struct MHD_PostProcessor *pp = steal_ptr(&req->pp);

	if (!pp)
		return;
	if (MHD_destroy_post_processor(pp) != MHD_YES && req->state == REQ_BODY)
		part_code(req, req->part_error < 0 ? req->part_error : -EINVAL);
}

/* false: nothing of it was taken. */
static bool take_body(struct httpd_req *req, const char *data, size_t size)
{
	const struct httpd_route *route = req->route;
	int r = 0;

	if (!route || req->state != REQ_BODY)
		return true;
	if (req->body_seen > body_max(req))
		r = -EMSGSIZE;
	else if (route->body)
		r = route->body(req, data, size);
	else if (req->pp)
		r = MHD_post_process(req->pp, data, size) == MHD_YES ? 0
								     : (req->part_error ?: -EINVAL);
	else if (!route->part || route->buffer_other)
		r = buf_add(&req->body, data, size);
	if (r == -EAGAIN && route->body && req->state == REQ_BODY)
		return false;
	if (r < 0 && req->state == REQ_BODY)
		part_code(req, r);
	return true;
}

static enum MHD_Result queue(struct httpd_req *req)
{
	if (req->queued)
		return MHD_YES;
	req->queued = true;
	if (req->h->stopping)
		MHD_add_response_header(req->response, "Connection", "close");
	return MHD_queue_response(req->mhd, req->status, req->response);
}

/* Whether the client still waits for "100 Continue" before it sends the body. */
static bool client_waits(const struct httpd_req *req)
{
	const char *expect = httpd_header(req, "Expect");

	return expect && strcasecmp(expect, "100-continue") == 0;
}

static enum MHD_Result on_headers(struct httpd_req *req, const char *method)
{
	bool too_long;

	req->state = REQ_BODY;
	req->method = method;
	req->head = strcmp(method, "HEAD") == 0;
	httpd_conn_deadline(req->conn, req->h->cfg.body_timeout_s * NS_PER_S);
	buf_init(&req->body, 0);
	check_headers(req);
	if (req->state == REQ_BODY && req->route && req->route->part && !req->route->body)
		open_form(req);
	if (req->state == REQ_BODY)
		return MHD_YES;
	too_long = httpd_content_length(req) > (int64_t)req->h->cfg.drain_max_bytes;
	if (!too_long && !(client_waits(req) && httpd_content_length(req) != 0))
		return MHD_YES;
	req->conn->linger = true;
	return queue(req);
}

static enum MHD_Result on_complete(struct httpd_req *req)
{
	httpd_conn_deadline(req->conn, 0);
	if (req->state == REQ_BODY)
		close_form(req);
	if (req->state == REQ_BODY) {
		req->state = REQ_HANDLER;
		if (req->route)
			req->route->handler(req);
		else
			req->h->cfg.fallback(req);
		if (req->state == REQ_HANDLER)
			httpd_error(req, 500, "the request was not answered");
	}
	switch (req->state) {
	case REQ_HEAD:
	case REQ_BODY:
	case REQ_HANDLER:
	case REQ_GONE:
		return MHD_NO;
	case REQ_DEFERRED:
		httpd_req_suspend(req);
		return MHD_YES;
	case REQ_ANSWERED:
		break;
	}
	return queue(req);
}

enum MHD_Result httpd_req_access(void *listener, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **con_cls)
{
	struct httpd_req *req = *con_cls;

	(void)listener;
	(void)mhd;
	(void)url;
	(void)version;
	if (!req)
		return MHD_NO;
	if (req->state == REQ_HEAD)
		return on_headers(req, method);
	if (req->state == REQ_GONE)
		return MHD_NO;
	if (*size == 0)
		return on_complete(req);
	req->body_seen += *size;
	if (req->state != REQ_BODY || !req->route)
		req->drained += *size;
	if (req->drained > req->h->cfg.drain_max_bytes)
		return MHD_NO;
	if (take_body(req, data, *size)) {
		*size = 0;
		return MHD_YES;
	}
	req->body_seen -= *size;
	req->body_waits = true;
	httpd_req_suspend(req);
	return MHD_YES;
}

void httpd_body_go_on(struct httpd_req *req)
{
	if (!req->body_waits)
		return;
	req->body_waits = false;
	httpd_req_resume(req);
}

static void free_stream(struct httpd_req *req)
{
	struct httpd_stream *s = steal_ptr(&req->stream);

	if (!s)
		return;
	if (!s->ended && s->gone)
		s->gone(s->arg);
	buf_fini(&s->held);
	free(s);
}

/* The end of a request, however it came. */
void httpd_req_end(struct httpd_req *req, bool complete)
{
	struct httpd *h = req->h;

	loop_io_del(req->watch);
	if (req->pp)
		MHD_destroy_post_processor(req->pp);
	free_stream(req);
	if (!complete && !req->queued)
		req->status = 0;
	if (h->cfg.done && req->method)
		h->cfg.done(req);
	if (req->layer)
		req->layer->over(req, req->layer_data);
	if (req->data_free)
		req->data_free(req->data);
	if (req->response)
		MHD_destroy_response(req->response);
	req->conn->req = NULL;
	httpd_conn_deadline(req->conn, (h->cfg.idle_timeout_s + 1) * NS_PER_S);
	h->req_count--;
	if (h->stopping)
		shutdown(req->conn->fd, SHUT_RDWR);
	httpd_params_fini(&req->params);
	httpd_path_fini(&req->path);
	buf_fini(&req->body);
	buf_fini(&req->headers);
	free(req->target);
	free(req);
}

void httpd_req_completed(void *listener, struct MHD_Connection *mhd, void **con_cls,
	enum MHD_RequestTerminationCode code)
{
	struct httpd_req *req = steal_ptr((struct httpd_req **)con_cls);

	(void)listener;
	(void)mhd;
	if (req)
		httpd_req_end(req, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
}

void httpd_req_abort(struct httpd_req *req)
{
	struct httpd_stream *s = req->stream;

	if (req->state == REQ_DEFERRED) {
		req->state = REQ_GONE;
		if (req->gone)
			req->gone(req);
	} else if (s || (req->body_waits && req->state == REQ_BODY)) {
		req->state = REQ_GONE;
	}
	httpd_req_resume(req);
}

static void on_client(void *arg, uint32_t events)
{
	struct httpd_req *req = arg;
	int fd = req->conn->fd;

	(void)events;
	httpd_req_abort(req);
	shutdown(fd, SHUT_RDWR);
	httpd_arm(req->h);
}

void httpd_req_suspend(struct httpd_req *req)
{
	req->suspended = true;
	MHD_suspend_connection(req->mhd);
	/* Without the watch the client's end is noticed only when the answer is sent: not fatal. */
	if (loop_io_add(req->h->loop, req->conn->fd, EPOLLRDHUP, on_client, req, &req->watch) < 0)
		req->watch = NULL;
}

void httpd_req_resume(struct httpd_req *req)
{
	if (!req->suspended)
		return;
	req->suspended = false;
	loop_io_del(steal_ptr(&req->watch));
	MHD_resume_connection(req->mhd);
	req->conn->listener->resumed = true;
	httpd_arm(req->h);
}
