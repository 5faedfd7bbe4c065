/* SPDX-License-Identifier: Apache-2.0 */
#include "http_pair.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>

static struct {
	struct httpd_req *kept;
	struct httpd_stream *stream;
	int gone, stream_gone, drained, begun, done, handled, stopped;
	struct buf seen;
	bool refuse;
	int answered, over;
	unsigned int answered_status;
	char answered_as[64];
} t;

static void on_echo(struct httpd_req *req)
{
	size_t len;
	const char *body = httpd_body(req, &len);

	t.handled++;
	httpd_add_headerf(req, "Location", "/x/%d", 7);
	httpd_add_header(req, "X-Bad", "a\r\nSet-Cookie: x");
	httpd_reply(req, 200, "text/plain", body, len);
}

static void on_info(struct httpd_req *req)
{
	const char *q = httpd_query(req, "q"), *flag = httpd_query(req, "flag"),
		   *h = httpd_header(req, "X-Test");
	char peer[80];

	httpd_peer(req, peer, sizeof(peer));
	httpd_replyf(req, 200, "text/plain", "%s %s id=%s q=%s flag=%s h=%s peer=%d",
		httpd_method(req), httpd_path(req), httpd_param(req, "id"), q ? q : "-",
		flag ? flag : "-", h ? h : "-", strncmp(peer, "127.0.0.1:", 10) == 0);
}

static void on_silent(struct httpd_req *req)
{
	(void)req;
}

static void on_gone(struct httpd_req *req)
{
	assert_ptr_equal(req, t.kept);
	t.kept = NULL;
	t.gone++;
}

static void on_wait(struct httpd_req *req)
{
	t.kept = req;
	t.handled++;
	httpd_defer(req, on_gone);
}

static void on_defer_and_reply(struct httpd_req *req)
{
	httpd_defer(req, NULL);
	httpd_reply(req, 202, NULL, NULL, 0);
	httpd_reply(req, 500, NULL, "twice", 5);
}

static void on_drained(void *arg)
{
	(void)arg;
	t.drained++;
}

static void on_stream_gone(void *arg)
{
	(void)arg;
	t.stream = NULL;
	t.stream_gone++;
}

static void on_stream(struct httpd_req *req)
{
	t.handled++;
	t.stream = httpd_stream_open(
		req, 200, "text/event-stream", 64 * KIB, on_drained, on_stream_gone, NULL);
}

static void layer_answered(struct httpd_req *req, void *data, const struct httpd_answer *a)
{
	const char *location = httpd_added_header(req, "location");

	assert_ptr_equal(data, &t);
	assert_null(httpd_added_header(req, "X-Bad"));
	t.answered++;
	t.answered_status = a->status;
	snprintf(t.answered_as, sizeof(t.answered_as), "%s %.*s %s", a->type, (int)a->len,
		(const char *)a->data, location ? location : "-");
}

static void layer_over(struct httpd_req *req, void *data)
{
	assert_ptr_equal(data, httpd_layer_data(req));
	t.over++;
}

static void on_layer_begin(struct httpd_req *req)
{
	static const struct httpd_layer layer = {layer_answered, layer_over};

	assert_null(httpd_layer_data(req));
	httpd_set_layer(req, &layer, &t);
}

static void on_begin(struct httpd_req *req)
{
	t.begun++;
	if (t.refuse)
		httpd_reply(req, 415, "text/plain", "no", 2);
}

static int on_body(struct httpd_req *req, const void *data, size_t len)
{
	(void)req;
	return buf_add(&t.seen, data, len);
}

static void on_count(struct httpd_req *req)
{
	httpd_replyf(req, 200, "text/plain", "%zu", t.seen.len);
}

static int on_part(
	struct httpd_req *req, const struct httpd_part *part, const void *data, size_t len)
{
	(void)req;
	if (part->offset == 0)
		buf_printf(&t.seen, "[%s|%s|%s|%d]", part->name,
			part->filename ? part->filename : "-", part->type ? part->type : "-",
			part->multipart);
	return buf_add(&t.seen, data, len);
}

static void on_form(struct httpd_req *req)
{
	httpd_replyf(req, 200, "text/plain", "%d %s", httpd_is_form(req),
		t.seen.data ? t.seen.data : "");
}

static void on_file(struct httpd_req *req)
{
	httpd_reply_file(
		req, open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "application/octet-stream");
}

/* What was read of a file, and its fstat(). */
static void on_file_data(struct httpd_req *req)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *data = malloc(9000);
	struct stat st;

	assert_non_null(data);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(read(fd, data, 9000), 9000);
	close(fd);
	httpd_set_data(req, data, free);
	httpd_reply_file_data(req, &st, data, 9000, "application/octet-stream");
}

static void on_done(struct httpd_req *req)
{
	assert_non_null(httpd_method(req));
	t.done++;
}

static const struct httpd_route routes[] = {
	{.method = "POST", .pattern = "/echo", .handler = on_echo, .body_max = 1000},
	{.method = "GET", .pattern = "/info/{id}", .handler = on_info},
	{.method = "GET", .pattern = "/silent", .handler = on_silent},
	{.method = "GET", .pattern = "/wait", .handler = on_wait},
	{.method = "GET", .pattern = "/both", .handler = on_defer_and_reply},
	{.method = "GET", .pattern = "/stream", .handler = on_stream},
	{.method = "PUT",
		.pattern = "/pieces",
		.handler = on_count,
		.begin = on_begin,
		.body = on_body,
		.body_max = 8 * MIB},
	{.method = "POST",
		.pattern = "/form",
		.handler = on_form,
		.part = on_part,
		.body_max = 1 * MIB},
	{.method = "GET", .pattern = "/file", .handler = on_file},
	{.method = "GET", .pattern = "/file-data", .handler = on_file_data},
	{.method = "POST", .pattern = "/layer", .handler = on_echo, .begin = on_layer_begin},
	{.method = "GET", .pattern = "/layer", .handler = on_wait, .begin = on_layer_begin},
};

static struct pair pair;

static int setup(void **state)
{
	struct httpd_config cfg = {.routes = routes,
		.route_count = ARRAY_SIZE(routes),
		.lenient_paths = true,
		.answer_405 = true,
		.done = on_done};

	(void)state;
	memset(&t, 0, sizeof(t));
	pair_open(&pair, &cfg);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pair_close(&pair);
	buf_fini(&t.seen);
	return 0;
}

static void test_echo(void **state)
{
	struct result res;
	char big[1001];

	pair_call(&pair, (struct httpc_request){.method = "POST", .body = "hello", .len = 5},
		"/echo", &res);
	assert_int_equal(res.status, 200);
	assert_string_equal(res.body, "hello");
	assert_string_equal(res.location, "/x/7");
	pair_call(&pair, (struct httpc_request){.method = "POST"}, "/ECHO/", &res);
	assert_int_equal(res.status, 200);
	assert_int_equal(res.len, 0);
	memset(big, 'x', sizeof(big));
	pair_call(&pair, (struct httpc_request){.method = "POST", .body = big, .len = 1000},
		"/echo", &res);
	assert_int_equal(res.status, 200);
	pair_call(&pair, (struct httpc_request){.method = "POST", .body = big, .len = 1001},
		"/echo", &res);
	assert_int_equal(res.status, 413);
	assert_int_equal(t.handled, 3);
	assert_int_equal(httpd_connections(pair.server), 1); /* the refusal kept it */
	pair_until(&pair, &t.done, 4);
}

static void test_routing(void **state)
{
	static const char *const headers[] = {"X-Test: yes", NULL};
	struct result res;

	pair_call(&pair, (struct httpc_request){.headers = headers}, "/info/a%2fb?q=1%202&flag",
		&res);
	assert_string_equal(res.body, "GET /info/a%2fb id=a/b q=1 2 flag= h=yes peer=1");
	pair_call(&pair, (struct httpc_request){.method = "HEAD"}, "/info/x", &res);
	assert_int_equal(res.status, 200);
	assert_int_equal(res.len, 0);
	pair_call(&pair, (struct httpc_request){0}, "/echo", &res);
	assert_int_equal(res.status, 405);
	assert_string_equal(res.allow, "POST");
	pair_call(&pair, (struct httpc_request){.method = "DELETE"}, "/info/1", &res);
	assert_string_equal(res.allow, "GET, HEAD");
	pair_call(&pair, (struct httpc_request){0}, "/nowhere/<b>", &res);
	assert_int_equal(res.status, 404);
	assert_string_equal(res.type, "text/html; charset=utf-8");
	assert_non_null(strstr(res.body, "Cannot GET /nowhere/&#60;b&#62;"));
	pair_call(&pair, (struct httpc_request){0}, "/info/%zz", &res);
	assert_int_equal(res.status, 400);
	pair_call(&pair, (struct httpc_request){0}, "/silent", &res);
	assert_int_equal(res.status, 500);
	pair_call(&pair, (struct httpc_request){0}, "/both", &res);
	assert_int_equal(res.status, 202);
}

static void test_defer(void **state)
{
	struct result res, other;

	pair_start(&pair, (struct httpc_request){0}, "/wait", &res);
	pair_until(&pair, &t.handled, 1);
	pair_call(&pair, (struct httpc_request){0}, "/info/1", &other); /* others go on meanwhile */
	assert_int_equal(other.status, 200);
	assert_int_equal(res.calls, 0);
	httpd_reply(t.kept, 200, "text/plain", "late", 4);
	pair_until(&pair, &res.calls, 1);
	assert_string_equal(res.body, "late");
	assert_int_equal(t.gone, 0);
}

static void test_client_goes(void **state)
{
	struct httpc_call *call;
	struct result res;

	call = pair_start(&pair, (struct httpc_request){0}, "/wait", &res);
	pair_until(&pair, &t.handled, 1);
	httpc_cancel(call);
	pair_until(&pair, &t.gone, 1);
	pair_until(&pair, &t.done, 1);
	assert_int_equal(httpd_requests(pair.server), 0);
}

/* A layer sees each answer before it is sent, and the end of each request. */
static void test_layer(void **state)
{
	struct httpc_request q = {.method = "POST", .body = "abc", .len = 3};
	struct httpc_call *call;
	struct result res;

	pair_call(&pair, q, "/layer", &res);
	assert_string_equal(res.body, "abc");
	pair_until(&pair, &t.over, 1);
	assert_int_equal(t.answered, 1);
	assert_int_equal(t.answered_status, 200);
	assert_string_equal(t.answered_as, "text/plain abc /x/7");

	call = pair_start(&pair, (struct httpc_request){0}, "/layer", &res);
	pair_until(&pair, &t.handled, 2);
	httpc_cancel(call);
	pair_until(&pair, &t.over, 2);
	assert_int_equal(t.answered, 1); /* there was none */
}

static void test_stream(void **state)
{
	_cleanup_buf_ struct buf in = {0};
	char block[16 * 1024];
	int fd = pair_raw(&pair);
	size_t sent = 0;
	int r;

	memset(block, 'a', sizeof(block));
	pair_send(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	pair_until(&pair, &t.handled, 1);
	assert_non_null(t.stream);
	/* Nobody reads: kernel buffers fill, then what is held, then the writer is told. */
	while ((r = httpd_stream_write(t.stream, block, sizeof(block))) == 0 && sent < 64 * MIB) {
		sent += sizeof(block);
		loop_once(pair.loop, 0);
	}
	for (int i = 0; i < 50 && r == 0; i++)
		loop_once(pair.loop, 0);
	assert_int_equal(r, -EAGAIN);
	assert_in_range(httpd_stream_held(t.stream), 1, 64 * KIB);
	httpd_stream_end(t.stream);
	t.stream = NULL;
	pair_expect(&pair, fd, &in, "\r\n0\r\n\r\n");
	assert_non_null(strstr(in.data, "Transfer-Encoding: chunked"));
	assert_true(in.len > sent);
	close(fd);
	assert_int_equal(t.stream_gone, 0);
}

static void test_stream_goes(void **state)
{
	_cleanup_buf_ struct buf in = {0};
	int fd = pair_raw(&pair);

	pair_send(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	pair_until(&pair, &t.handled, 1);
	assert_int_equal(httpd_stream_write(t.stream, "tick\n", 5), 0);
	pair_expect(&pair, fd, &in, "tick");
	assert_int_equal(t.drained, 1);
	assert_int_equal(httpd_stream_write(t.stream, "tack\n", 5), 0);
	pair_expect(&pair, fd, &in, "tack");
	close(fd);
	pair_until(&pair, &t.stream_gone, 1);
	pair_until(&pair, &t.done, 1);
}

static void test_pieces(void **state)
{
	_cleanup_free_ char *big = calloc(1, 8 * MIB + 1);
	struct result res;

	pair_call(&pair, (struct httpc_request){.method = "PUT", .body = big, .len = 5 * MIB},
		"/pieces", &res);
	assert_int_equal(res.status, 200);
	assert_string_equal(res.body, "5242880");
	assert_int_equal(t.begun, 1);
	pair_call(&pair, (struct httpc_request){.method = "PUT", .body = big, .len = 8 * MIB + 1},
		"/pieces", &res);
	assert_int_equal(res.status, 413);
	assert_int_equal(t.begun, 1);
	t.refuse = true;
	pair_call(&pair, (struct httpc_request){.method = "PUT", .body = big, .len = 3 * MIB},
		"/pieces", &res);
	assert_int_equal(res.status, 415);
	assert_string_equal(res.body, "no");
	assert_int_equal(t.seen.len, 5 * MIB);
}

/* A chunked body has no length to refuse beforehand: it is cut off at the limit and drained. */
static void test_chunked(void **state)
{
	_cleanup_buf_ struct buf in = {0};
	int fd = pair_raw(&pair);
	char chunk[600];

	memset(chunk, 'y', sizeof(chunk));
	memcpy(chunk, "1f4\r\n", 5);
	memcpy(chunk + 505, "\r\n", 3);
	pair_send(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 3; i++)
		pair_send(fd, chunk);
	pair_send(fd, "0\r\n\r\n");
	pair_expect(&pair, fd, &in, "HTTP/1.1 413 ");
	pair_send(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
	pair_expect(&pair, fd, &in, "\r\n\r\nok");
	close(fd);
}

static void test_expect(void **state)
{
	_cleanup_buf_ struct buf in = {0};
	int fd = pair_raw(&pair);

	pair_send(fd,
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\nExpect: "
		"100-continue\r\n\r\n");
	pair_expect(&pair, fd, &in, "HTTP/1.1 413 ");
	assert_null(strstr(in.data, "100 Continue"));
	close(fd);
	buf_fini(&in);
	fd = pair_raw(&pair);
	pair_send(fd,
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: "
		"100-continue\r\n\r\n");
	pair_expect(&pair, fd, &in, "100 Continue");
	pair_send(fd, "hi");
	pair_expect(&pair, fd, &in, "\r\n\r\nhi");
	close(fd);
}

static void test_form(void **state)
{
	static const char *const urlencoded[] = {
		"Content-Type: application/x-www-form-urlencoded", NULL};
	static const char *const json[] = {"Content-Type: application/json", NULL};
	static const char *const no_boundary[] = {"Content-Type: multipart/form-data", NULL};
	static const char *const boundary[] = {
		"Content-Type: multipart/form-data; boundary=abcdef", NULL};
	struct httpc_part parts[] = {{.name = "image",
					     .filename = "a.png",
					     .type = "image/png",
					     .data = "PNG",
					     .len = 3},
		{.name = "note", .data = "text", .len = 4}};
	struct result res;

	pair_call(&pair, (struct httpc_request){.method = "POST", .parts = parts, .part_count = 2},
		"/form", &res);
	assert_string_equal(res.body, "1 [image|a.png|image/png|1]PNG[note|-|-|1]text");
	buf_fini(&t.seen);
	pair_call(&pair,
		(struct httpc_request){.method = "POST",
			.headers = urlencoded,
			.body = "value=a%20b&x=",
			.len = 14},
		"/form", &res);
	assert_string_equal(res.body, "1 [value|-|-|0]a b[x|-|-|0]");
	buf_fini(&t.seen);
	pair_call(&pair,
		(struct httpc_request){.method = "POST", .headers = json, .body = "{}", .len = 2},
		"/form", &res);
	assert_string_equal(res.body, "0 ");
	pair_call(&pair,
		(struct httpc_request){
			.method = "POST", .headers = no_boundary, .body = "{}", .len = 2},
		"/form", &res);
	assert_int_equal(res.status, 400);
	pair_call(&pair,
		(struct httpc_request){.method = "POST",
			.headers = boundary,
			.body = "--abcdef\r\nContent-Dis",
			.len = 21},
		"/form", &res);
	assert_int_equal(res.status, 400);
}

static void check_file(const char *path)
{
	static const char *const range[] = {"Range: bytes=1-3", NULL};
	static const char *const tail[] = {"Range: bytes=-2", NULL};
	static const char *const beyond[] = {"Range: bytes=99999999999-", NULL};
	char match[160];
	const char *const fresh[] = {match, NULL};
	struct result res;

	pair_call(&pair, (struct httpc_request){.headers = range}, path, &res);
	assert_int_equal(res.status, 206);
	assert_string_equal(res.body, "ELF");
	assert_non_null(strstr(res.range, "bytes 1-3/"));
	snprintf(match, sizeof(match), "If-None-Match: %s", res.etag);
	pair_call(&pair, (struct httpc_request){.headers = fresh}, path, &res);
	assert_int_equal(res.status, 304);
	pair_call(&pair, (struct httpc_request){.headers = tail}, path, &res);
	assert_int_equal(res.status, 206);
	assert_int_equal(res.len, 2);
	pair_call(&pair, (struct httpc_request){.headers = beyond}, path, &res);
	assert_int_equal(res.status, 416);
	pair_call(&pair, (struct httpc_request){.max_bytes = 64 * MIB}, path, &res);
	assert_int_equal(res.status, 200);
	assert_true(res.len > 4096);
}

/* The same of a file and of its bytes in memory. */
static void test_file(void **state)
{
	struct result res;

	check_file("/file");
	check_file("/file-data");
	pair_call(&pair, (struct httpc_request){0}, "/file-data", &res);
	assert_int_equal(res.len, 9000);
	pair_call(&pair, (struct httpc_request){.method = "HEAD"}, "/file-data", &res);
	assert_int_equal(res.status, 200);
	assert_int_equal(res.len, 0);
}

static void test_slow_client(void **state)
{
	struct httpd_config cfg = {.loop = pair.loop,
		.routes = routes,
		.route_count = ARRAY_SIZE(routes),
		.head_timeout_s = 1};
	_cleanup_buf_ struct buf in = {0};
	struct pair slow = {.loop = pair.loop};
	int fd;

	assert_int_equal(httpd_new(&cfg, &slow.server, NULL), 0);
	assert_int_equal(httpd_listen_tcp(slow.server, "127.0.0.1", 0, NULL), 0);
	fd = pair_raw(&slow);
	pair_send(fd, "GET /info/1 HTTP/1.1\r\nHost: x\r\nX-Never");
	pair_expect(&slow, fd, &in, NULL); /* ends without us having said all */
	close(fd);
	httpd_free(slow.server);
}

static void on_stopped(void *arg)
{
	(void)arg;
	t.stopped++;
}

static void test_stop(void **state)
{
	_cleanup_buf_ struct buf idle_in = {0};
	struct result res, refused;
	int idle = pair_raw(&pair);
	uint16_t port = httpd_port(pair.server);

	pair_send(idle, "GET /info/1 HTTP/1.1\r\nHost: x\r\n\r\n");
	pair_expect(&pair, idle, &idle_in, "id=1");
	pair_start(&pair, (struct httpc_request){0}, "/wait", &res);
	pair_until(&pair, &t.handled, 1);
	httpd_stop(pair.server, 60000, on_stopped, NULL);
	pair_expect(&pair, idle, &idle_in, NULL);
	close(idle);
	assert_int_equal(t.stopped, 0);
	assert_int_equal(httpd_port(pair.server), port);
	pair_call(&pair, (struct httpc_request){0}, "/info/1", &refused);
	assert_int_equal(refused.code, -ECONNREFUSED);
	httpd_reply(t.kept, 200, NULL, "bye", 3);
	pair_until(&pair, &res.calls, 1);
	assert_string_equal(res.body, "bye");
	pair_until(&pair, &t.stopped, 1);
	assert_int_equal(httpd_connections(pair.server), 0);
}

static void test_stop_cuts(void **state)
{
	struct result res;

	pair_start(&pair, (struct httpc_request){0}, "/wait", &res);
	pair_until(&pair, &t.handled, 1);
	httpd_stop(pair.server, 1, on_stopped, NULL);
	pair_until(&pair, &t.stopped, 1);
	assert_int_equal(t.gone, 1);
	pair_until(&pair, &res.calls, 1);
	assert_int_equal(res.code, -EIO);
}

static void test_free_with_requests(void **state)
{
	struct result a, b;

	pair_start(&pair, (struct httpc_request){0}, "/wait", &a);
	pair_until(&pair, &t.handled, 1);
	pair_start(&pair, (struct httpc_request){0}, "/stream", &b);
	pair_until(&pair, &t.handled, 2);
	loop_once(pair.loop, 0);
	httpd_free(pair.server);
	pair.server = NULL;
	assert_int_equal(t.gone, 1);
	assert_int_equal(t.stream_gone, 1);
	assert_int_equal(t.done, 2);
}

static void test_unix(void **state)
{
	char dir[] = "/tmp/uig-httpd-XXXXXX", path[64];
	struct httpc_request q = {.url = "http://x/info/7", .unix_path = path, .done = pair_done};
	struct err err = {0};
	struct result res = {0};
	struct stat st;
	struct httpd *second = NULL;
	struct httpd_config cfg = {.loop = pair.loop};

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	q.arg = &res;
	assert_int_equal(httpd_listen_unix(pair.server, path, 0640, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(httpc_start(pair.client, &q, NULL), 0);
	pair_until(&pair, &res.calls, 1);
	assert_int_equal(res.status, 200);
	/* A live socket is left alone, a dead one replaced, another file refused. */
	assert_int_equal(httpd_new(&cfg, &second, &err), 0);
	assert_int_equal(httpd_listen_unix(second, path, 0600, &err), -EADDRINUSE);
	httpd_free(steal_ptr(&pair.server));
	assert_int_equal(access(path, F_OK), -1);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(httpd_listen_unix(second, path, 0600, &err), -EEXIST);
	unlink(path);
	{
		struct sockaddr_un sun = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		strcpy(sun.sun_path, path);
		assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
		close(fd);
	}
	assert_int_equal(httpd_listen_unix(second, path, 0600, &err), 0);
	httpd_free(second);
	assert_int_equal(rmdir(dir), 0);
}

static void test_parallel(void **state)
{
	enum { N = 60 };
	static struct result res[N];
	struct httpc_request q = {.method = "POST", .body = "12345678", .len = 8};

	for (int i = 0; i < N; i++)
		pair_start(&pair, q, "/echo", &res[i]);
	for (int i = 0; i < N; i++) {
		pair_until(&pair, &res[i].calls, 1);
		assert_string_equal(res[i].body, "12345678");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_echo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_routing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_defer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_layer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stream, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stream_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chunked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_expect, setup, teardown),
		cmocka_unit_test_setup_teardown(test_form, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_client, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_free_with_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unix, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parallel, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
