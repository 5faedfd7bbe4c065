/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server of lib/httpd and a client of lib/httpc on one loop, for the tests of both: no threads, no waiting but
 * for events. Raw sockets serve where curl is too polite.
 */
#ifndef TESTS_HTTP_PAIR_H
#define TESTS_HTTP_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/buf.h"
#include "lib/httpc.h"
#include "lib/httpd.h"
#include "lib/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define PAIR_STEP_MS 60000 /* nothing takes this long unless it hangs */

struct pair {
	struct loop *loop;
	struct httpd *server;
	struct httpc *client;
};

struct result {
	int calls, status, code;
	bool sent, received;
	char body[4096];
	size_t len;
	char type[128], allow[128], location[128], etag[128], range[128];
};

static inline void pair_open(struct pair *p, struct httpd_config *cfg)
{
	struct err err = {0};

	assert_int_equal(loop_new(&p->loop), 0);
	cfg->loop = p->loop;
	if (httpd_new(cfg, &p->server, &err) < 0 ||
		httpd_listen_tcp(p->server, "127.0.0.1", 0, &err) < 0 ||
		httpc_new(p->loop, 0, &p->client, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_not_equal(httpd_port(p->server), 0);
}

static inline void pair_close(struct pair *p)
{
	httpc_free(p->client);
	httpd_free(p->server);
	loop_free(p->loop);
}

static inline void pair_header(const struct httpc_response *resp, const char *name, char *out)
{
	const char *v = resp->code == 0 ? httpc_header(resp, name) : NULL;

	snprintf(out, 128, "%s", v ? v : "");
}

static inline void pair_done(void *arg, const struct httpc_response *resp)
{
	struct result *res = arg;

	res->calls++;
	res->status = resp->status;
	res->code = resp->code;
	res->sent = httpc_has_sent(resp->call);
	res->received = httpc_has_received(resp->call);
	res->len = resp->len;
	snprintf(res->body, sizeof(res->body), "%s", resp->body);
	pair_header(resp, "Content-Type", res->type);
	pair_header(resp, "Allow", res->allow);
	pair_header(resp, "Location", res->location);
	pair_header(resp, "ETag", res->etag);
	pair_header(resp, "Content-Range", res->range);
}

/* Runs the loop until *flag is at least n. */
static inline void pair_until(struct pair *p, const int *flag, int n)
{
	int64_t end = loop_now_ns() + PAIR_STEP_MS * NS_PER_MS;

	while (*flag < n) {
		assert_int_equal(loop_once(p->loop, 1000), 0);
		assert_true(loop_now_ns() < end);
	}
}

/* Starts a request to a path of the server. */
static inline struct httpc_call *pair_start(
	struct pair *p, struct httpc_request q, const char *path, struct result *res)
{
	char url[512];
	struct httpc_call *call;

	*res = (struct result){0};
	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", httpd_port(p->server), path);
	q.url = url;
	q.done = pair_done;
	q.arg = res;
	assert_int_equal(httpc_start(p->client, &q, &call), 0);
	return call;
}

static inline void pair_call(
	struct pair *p, struct httpc_request q, const char *path, struct result *res)
{
	pair_start(p, q, path, res);
	pair_until(p, &res->calls, 1);
}

static inline int pair_raw(struct pair *p)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(httpd_port(p->server))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

static inline void pair_send(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads until what came holds the text, or to the end of the stream when text is NULL; the loop runs meanwhile. */
static inline void pair_expect(struct pair *p, int fd, struct buf *in, const char *text)
{
	int64_t end = loop_now_ns() + PAIR_STEP_MS * NS_PER_MS;
	size_t len = text ? strlen(text) : 0, from = 0; /* up to here it was looked for */

	while (!text || !in->data || !memmem(in->data + from, in->len - from, text, len)) {
		char piece[16384];
		ssize_t n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);

		from = in->len > len ? in->len - len : 0;
		if (n == 0 || (n < 0 && errno == ECONNRESET && !text)) {
			if (text)
				fail_msg("the stream ended before \"%s\": %s", text,
					in->data ? in->data : "");
			return;
		}
		if (n > 0)
			assert_int_equal(buf_add(in, piece, (size_t)n), 0);
		else
			assert_int_equal(loop_once(p->loop, 10), 0);
		assert_true(loop_now_ns() < end);
	}
}

#endif
