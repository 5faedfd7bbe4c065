/* SPDX-License-Identifier: Apache-2.0 */
/* What a proxy needs of both glues: bodies that wait on either side, answers of known length, answers that are broken off. */
#include "http_pair.h"

#include <errno.h>

#define BODY_BYTES  (2 * MIB)
#define HELD_BYTES  (32 * KIB)
#define ROUNDS      4 /* in which nothing is taken */
#define LENGTH_HEAD 12345

/* The server's side. */
static struct {
	struct httpd_req *req;
	size_t body;
	int refused, complete, begun;
	bool shut; /* nothing is taken */
	struct httpd_stream *stream;
	uint64_t sent;
} s;

/* The client's side. */
static struct {
	struct httpc_call *call;
	uint64_t read, got;
	int dry, full, heads, calls, code, status, headers;
	bool wait_read, wait_data;
	char length[32];
} c;

static struct pair pair;

static void begin(struct httpd_req *req)
{
	s.req = req;
	s.begun++;
}

static int on_body(struct httpd_req *req, const void *data, size_t len)
{
	(void)req;
	(void)data;
	if (s.shut) {
		s.refused++;
		return -EAGAIN;
	}
	s.body += len;
	return 0;
}

static void on_complete(struct httpd_req *req)
{
	s.complete++;
	httpd_replyf(req, 200, NULL, "%s %zu", httpd_method(req), s.body);
}

/* As much as there is room for, up to the length that was promised. */
static void fill(void *arg)
{
	static char block[4096];

	(void)arg;
	while (s.sent < BODY_BYTES && httpd_stream_write(s.stream, block, sizeof(block)) == 0)
		s.sent += sizeof(block);
	if (s.sent == BODY_BYTES && s.stream)
		httpd_stream_end(steal_ptr(&s.stream));
}

static void on_large(struct httpd_req *req)
{
	httpd_stream_length(req, BODY_BYTES);
	s.stream = httpd_stream_open(req, 200, "text/x", HELD_BYTES, fill, NULL, NULL);
	if (s.stream)
		fill(NULL);
}

static void on_head_only(struct httpd_req *req)
{
	httpd_stream_length(req, LENGTH_HEAD);
	assert_null(httpd_stream_open(req, 200, "text/x", HELD_BYTES, NULL, NULL, NULL));
}

static void on_broken(struct httpd_req *req)
{
	struct httpd_stream *stream =
		httpd_stream_open(req, 200, "text/x", HELD_BYTES, NULL, NULL, NULL);

	assert_int_equal(httpd_stream_write(stream, "begun", 5), 0);
	httpd_stream_break(stream);
}

static const struct httpd_route routes[] = {
	{.method = "*",
		.pattern = "/body/{rest*}",
		.begin = begin,
		.body = on_body,
		.handler = on_complete,
		.body_max = 2 * BODY_BYTES},
	{.method = "GET", .pattern = "/large", .handler = on_large},
	{.method = "GET", .pattern = "/head", .handler = on_head_only},
	{.method = "GET", .pattern = "/broken", .handler = on_broken},
};

static int setup(void **state)
{
	struct httpd_config cfg = {.routes = routes, .route_count = ARRAY_SIZE(routes)};

	(void)state;
	memset(&s, 0, sizeof(s));
	memset(&c, 0, sizeof(c));
	pair_open(&pair, &cfg);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pair_close(&pair);
	return 0;
}

/* --- the client -------------------------------------------------------------------------------------------------- */
static ssize_t on_read(void *arg, void *out, size_t max)
{
	size_t left = BODY_BYTES - c.read;

	(void)arg;
	if (c.wait_read) {
		c.dry++;
		return -EAGAIN;
	}
	if (max > left)
		max = left;
	memset(out, 'b', max);
	c.read += max;
	return (ssize_t)max;
}

static bool count_header(void *arg, const char *name, const char *value)
{
	(void)arg;
	if (strcmp(name, "Content-Length") == 0)
		snprintf(c.length, sizeof(c.length), "%s", value);
	c.headers++;
	return true;
}

static int on_head(void *arg, const struct httpc_response *resp)
{
	(void)arg;
	c.heads++;
	c.status = resp->status;
	httpc_each_header(resp, count_header, NULL);
	return 0;
}

static int on_data(void *arg, int status, const void *data, size_t len)
{
	(void)arg;
	(void)data;
	assert_int_equal(status, 200);
	assert_int_equal(c.heads, 1);
	if (c.wait_data) {
		c.full++;
		return -EAGAIN;
	}
	c.got += len;
	return 0;
}

static void done(void *arg, const struct httpc_response *resp)
{
	(void)arg;
	c.code = resp->code;
	c.calls++;
	c.call = NULL;
}

static void start(const char *method, const char *target, int64_t length)
{
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", httpd_port(pair.server));
	assert_int_equal(httpc_start(pair.client,
				 &(struct httpc_request){.method = method,
					 .url = url,
					 .target = target,
					 .no_defaults = true,
					 .own_connection = true,
					 .on_read = on_read,
					 .read_len = length,
					 .on_head = on_head,
					 .on_data = on_data,
					 .done = done},
				 &c.call),
		0);
}

/* --- tests ------------------------------------------------------------------------------------------------------- */
/* The server takes nothing for a while, then the client has nothing for a while: all of it arrives, once. */
static void body_waits(int64_t length)
{
	s.shut = true;
	start("PROPFIND", "/body/a/b?c", length);
	pair_until(&pair, &s.refused, 1);
	for (int i = 0; i < ROUNDS; i++)
		assert_int_equal(loop_once(pair.loop, 0), 0);
	assert_int_equal(s.body, 0);
	assert_int_equal(s.refused, 1);
	assert_true(c.read < BODY_BYTES);
	c.wait_read = true;
	s.shut = false;
	httpd_body_go_on(s.req);
	pair_until(&pair, &c.dry, 1);
	assert_int_equal(s.complete, 0);
	c.wait_read = false;
	httpc_go_on(c.call);
	pair_until(&pair, &c.calls, 1);
	assert_int_equal(c.code, 0);
	assert_int_equal(s.body, BODY_BYTES);
	assert_int_equal(c.read, BODY_BYTES);
	assert_int_equal(c.got, strlen("PROPFIND 2097152"));
}

static void test_body_waits(void **state)
{
	(void)state;
	body_waits(BODY_BYTES);
}

static void test_chunks_wait(void **state)
{
	(void)state;
	body_waits(-1);
}

/* The client that waits goes: nobody is left. */
static void test_waiting_client_goes(void **state)
{
	(void)state;
	s.shut = true;
	start("POST", "/body", BODY_BYTES);
	pair_until(&pair, &s.refused, 1);
	httpc_cancel(c.call);
	while (httpd_requests(pair.server))
		assert_int_equal(loop_once(pair.loop, 1000), 0);
	assert_int_equal(s.complete, 0);
}

/* What has been answered is not waited for. */
static void test_answer_while_it_waits(void **state)
{
	(void)state;
	s.shut = true;
	start("POST", "/body/", BODY_BYTES);
	pair_until(&pair, &s.refused, 1);
	httpd_replyf(s.req, 200, NULL, "enough");
	httpd_body_go_on(s.req);
	pair_until(&pair, &c.calls, 1);
	assert_int_equal(c.status, 200);
	assert_int_equal(c.got, strlen("enough"));
}

static void test_known_length(void **state)
{
	(void)state;
	c.wait_data = true;
	start("GET", "/large", 0);
	pair_until(&pair, &c.full, 1);
	for (int i = 0; i < ROUNDS; i++)
		assert_int_equal(loop_once(pair.loop, 0), 0);
	assert_int_equal(c.full, 1);
	assert_string_equal(c.length, "2097152");
	c.wait_data = false;
	httpc_go_on(c.call);
	pair_until(&pair, &c.calls, 1);
	assert_int_equal(c.code, 0);
	assert_int_equal(c.got, BODY_BYTES);
}

static void test_length_of_head(void **state)
{
	(void)state;
	start("HEAD", "/head", 0);
	pair_until(&pair, &c.calls, 1);
	assert_int_equal(c.code, 0);
	assert_string_equal(c.length, "12345");
	assert_int_equal(c.got, 0);
}

static void test_broken_off(void **state)
{
	(void)state;
	start("GET", "/broken", 0);
	pair_until(&pair, &c.calls, 1);
	assert_int_equal(c.code, -EIO);
	assert_int_equal(c.got, 5);
}

/* Headers without an end are not read without an end. */
static void test_endless_head(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	static char line[4000];
	char url[64];

	(void)state;
	assert_int_equal(bind(l, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(l, 1), 0);
	assert_int_equal(getsockname(l, (struct sockaddr *)&at, &len), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(at.sin_port));
	assert_int_equal(
		httpc_start(pair.client,
			&(struct httpc_request){
				.url = url, .on_head = on_head, .on_data = on_data, .done = done},
			&c.call),
		0);
	assert_int_equal(loop_once(pair.loop, 1000), 0);
	fd = accept4(l, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(fd >= 0);
	pair_send(fd, "HTTP/1.1 200 OK\r\n");
	memset(line, 'x', sizeof(line));
	memcpy(line, "X: ", 3);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	while (!c.calls) {
		send(fd, line, sizeof(line), MSG_NOSIGNAL);
		assert_int_equal(loop_once(pair.loop, 0), 0);
	}
	assert_int_equal(c.code, -EMSGSIZE);
	assert_int_equal(c.heads, 0);
	close(fd);
	close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_body_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chunks_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waiting_client_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answer_while_it_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_known_length, setup, teardown),
		cmocka_unit_test_setup_teardown(test_length_of_head, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_endless_head, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
