/* SPDX-License-Identifier: Apache-2.0 */
#include "http_pair.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>

static struct {
	int handled, cancelled, chunks;
	size_t seen;
} t;

static struct pair pair;

static void on_echo(struct httpd_req *req)
{
	size_t len;
	const char *body = httpd_body(req, &len), *type = httpd_header(req, "Content-Type");

	t.handled++;
	if (httpd_query(req, "type"))
		httpd_replyf(req, 200, NULL, "%s", type ? type : "none");
	else
		httpd_reply(req, 200, NULL, body, len);
}

static void on_wait(struct httpd_req *req)
{
	t.handled++;
	httpd_defer(req, NULL);
}

static void on_stop(struct httpd_req *req)
{
	httpd_reply(req, 204, NULL, NULL, 0);
	loop_stop(pair.loop, 0);
}

static const struct httpd_route routes[] = {
	{.method = "POST", .pattern = "/echo", .handler = on_echo, .body_max = 4 * MIB},
	{.method = "GET", .pattern = "/wait", .handler = on_wait},
	{.method = "GET", .pattern = "/stop", .handler = on_stop},
};

static int setup(void **state)
{
	struct httpd_config cfg = {.routes = routes, .route_count = ARRAY_SIZE(routes)};

	(void)state;
	memset(&t, 0, sizeof(t));
	pair_open(&pair, &cfg);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pair_close(&pair);
	return 0;
}

static int on_data(void *arg, int status, const void *data, size_t len)
{
	(void)arg;
	(void)data;
	assert_int_equal(status, 200);
	t.chunks++;
	t.seen += len;
	return t.seen > 1 * MIB ? -1 : 0;
}

static void test_limits(void **state)
{
	_cleanup_free_ char *big = calloc(1, 2 * MIB);
	struct httpc_request q = {.method = "POST", .body = big, .len = 2 * MIB};
	struct result res;

	pair_call(&pair, q, "/echo", &res);
	assert_int_equal(res.code, -EMSGSIZE);
	assert_int_equal(res.status, 0);
	q.max_bytes = 2 * MIB;
	pair_call(&pair, q, "/echo", &res);
	assert_int_equal(res.code, 0);
	assert_int_equal(res.len, 2 * MIB);
	q.on_data = on_data;
	pair_call(&pair, q, "/echo", &res);
	assert_int_equal(res.code, -ECANCELED);
	assert_true(t.chunks > 1);
}

static void test_failures(void **state)
{
	struct result res = {0};
	struct httpc_request q = {.done = pair_done, .arg = &res};
	static const struct {
		const char *url, *unix_path;
		int code;
	} cases[] = {
		{"http://127.0.0.1:1/", NULL, -ECONNREFUSED},
		{"http://x/", "/nonexistent/socket", -ENOENT},
		{"ftp://127.0.0.1/", NULL, -EINVAL},
		{"http://", NULL, -EINVAL},
		{"file:///etc/passwd", NULL, -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		res.calls = 0;
		q.url = cases[i].url;
		q.unix_path = cases[i].unix_path;
		assert_int_equal(httpc_start(pair.client, &q, NULL), 0);
		pair_until(&pair, &res.calls, 1);
		assert_int_equal(res.code, cases[i].code);
		assert_false(res.sent || res.received);
	}
	/* A busy machine may let the time pass before anything is sent: then with more of it. */
	for (int ms = 50; ms <= 51200; ms *= 4) {
		pair_call(&pair, (struct httpc_request){.timeout_ms = ms}, "/wait", &res);
		assert_int_equal(res.code, -ETIMEDOUT);
		if (res.sent)
			break;
	}
	assert_true(res.sent && !res.received);
}

/* A listener whose queue is full takes no more: the connection is never made, and nothing was sent. */
static void test_no_connection(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0), waiting[4];
	struct result res = {0};
	struct pollfd first;
	char url[48];
	struct httpc_request q = {
		.url = url, .connect_timeout_ms = 50, .done = pair_done, .arg = &res};

	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(waiting[i], (struct sockaddr *)&at, len);
	}
	first = (struct pollfd){.fd = waiting[0], .events = POLLOUT};
	assert_int_equal(poll(&first, 1, PAIR_STEP_MS), 1); /* it is in the queue */
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(at.sin_port));
	assert_int_equal(httpc_start(pair.client, &q, NULL), 0);
	pair_until(&pair, &res.calls, 1);
	assert_int_equal(res.code, -EHOSTUNREACH);
	assert_false(res.sent);
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++)
		close(waiting[i]);
	close(listener);
}

static void test_types(void **state)
{
	static const char *const json[] = {"Content-Type: application/json", NULL};
	struct result res;

	pair_call(&pair,
		(struct httpc_request){.method = "POST", .body = "{}", .len = 2, .headers = json},
		"/echo?type=1", &res);
	assert_string_equal(res.body, "application/json");
	pair_call(&pair, (struct httpc_request){.method = "POST", .body = "{}", .len = 2},
		"/echo?type=1", &res);
	assert_string_equal(res.body, "none");
}

static void test_file_body(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct result res;

	pair_call(&pair, (struct httpc_request){.method = "POST", .body_fd = fd, .body_fd_len = 4},
		"/echo", &res);
	assert_string_equal(res.body,
		"\x7f"
		"ELF");
	close(fd);
}

struct chain {
	struct result second;
	int first;
	struct httpc_call *victim;
};

/* done() may start and cancel. */
static void on_first(void *arg, const struct httpc_response *resp)
{
	struct chain *c = arg;

	assert_int_equal(resp->status, 200);
	c->first++;
	httpc_cancel(c->victim);
	pair_start(&pair, (struct httpc_request){.method = "POST", .body = "2", .len = 1}, "/echo",
		&c->second);
}

static void test_chain(void **state)
{
	struct chain c = {0};
	struct result never;
	char url[64];
	struct httpc_request q = {.method = "POST", .url = url, .done = on_first, .arg = &c};

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/echo", httpd_port(pair.server));
	c.victim = pair_start(&pair, (struct httpc_request){0}, "/wait", &never);
	assert_int_equal(httpc_start(pair.client, &q, NULL), 0);
	pair_until(&pair, &c.first, 1);
	pair_until(&pair, &c.second.calls, 1);
	assert_string_equal(c.second.body, "2");
	assert_int_equal(never.calls, 0);
}

/* --- epoll that fails --------------------------------------------------------------------------------------------- */
static int failing_op; /* of epoll_ctl(); 0: none */

int __real_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);

int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	if (!failing_op || op != failing_op)
		return __real_epoll_ctl(epfd, op, fd, event);
	errno = ENOSPC;
	return -1;
}

static void on_done_mend(void *arg, const struct httpc_response *response)
{
	failing_op = 0;
	pair_done(arg, response);
}

/* A call whose socket can not be watched fails, and no other; the next one goes as always. */
static void test_unwatched(void **state)
{
	static const int ops[] = {EPOLL_CTL_ADD, EPOLL_CTL_MOD};
	struct result waiting, res = {0};

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		char url[64];
		struct httpc_request q = {.url = url, .done = on_done_mend, .arg = &res};
		struct httpc_call *other;
		int seen = t.handled;

		snprintf(url, sizeof(url), "http://127.0.0.1:%u/wait", httpd_port(pair.server));
		other = pair_start(&pair, (struct httpc_request){0}, "/wait", &waiting);
		pair_until(&pair, &t.handled, seen + 1);
		res = (struct result){0};
		failing_op = ops[i];
		assert_int_equal(httpc_start(pair.client, &q, NULL), 0);
		pair_until(&pair, &res.calls, 1);
		assert_int_equal(res.code, -ENOSPC);
		assert_int_equal(res.status, 0);
		assert_int_equal(waiting.calls, 0);
		pair_call(&pair, (struct httpc_request){.method = "POST", .body = "x", .len = 1},
			"/echo", &res);
		assert_int_equal(res.status, 200);
		assert_int_equal(waiting.calls, 0);
		httpc_cancel(other);
	}
}

/* One that was cancelled before it is told of is not told. */
static void test_unwatched_cancelled(void **state)
{
	struct result never = {0}, res;
	struct httpc_call *call;

	failing_op = EPOLL_CTL_ADD;
	call = pair_start(&pair, (struct httpc_request){0}, "/wait", &never);
	assert_int_equal(loop_once(pair.loop, PAIR_STEP_MS), 0);
	httpc_cancel(call);
	failing_op = 0;
	pair_call(&pair, (struct httpc_request){.method = "POST", .body = "x", .len = 1}, "/echo",
		&res);
	assert_int_equal(res.status, 200);
	assert_int_equal(never.calls, 0);
}

static void *serve(void *arg)
{
	(void)arg;
	loop_run(pair.loop);
	return NULL;
}

static void test_sync(void **state)
{
	_cleanup_buf_ struct buf body = {0};
	char url[64];
	struct httpc_request q = {.method = "POST", .url = url, .body = "abc", .len = 3};
	struct err err = {0};
	pthread_t thread;
	int status = 0;

	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/echo", httpd_port(pair.server));
	assert_int_equal(httpc_sync(&q, &status, &body, &err), 0);
	assert_int_equal(status, 200);
	assert_string_equal(body.data, "abc");
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/stop", httpd_port(pair.server));
	q = (struct httpc_request){.url = url};
	assert_int_equal(httpc_sync(&q, &status, NULL, &err), 0);
	assert_int_equal(status, 204);
	pthread_join(thread, NULL);
	q.url = "http://127.0.0.1:1/";
	assert_int_equal(httpc_sync(&q, &status, NULL, &err), -ECONNREFUSED);
	assert_true(err.msg[0] != '\0');
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_types, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_body, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unwatched, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unwatched_cancelled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sync, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
