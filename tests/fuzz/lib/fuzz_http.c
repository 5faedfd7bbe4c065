/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of a client against the server glue: buffered bodies, forms, streamed bodies, deferred answers, streams, files. The
 * first byte says where the bytes are cut in two. After each client nothing may be left.
 */
#include "lib/httpd.h"
#include "lib/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop *loop;
static struct httpd *server;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static unsigned int open_requests;

static void on_echo(struct httpd_req *req)
{
	size_t len;
	const char *body = httpd_body(req, &len);
	const char *q = httpd_query(req, "q"), *h = httpd_header(req, "X-A");

	if (q)
		httpd_add_header(req, "X-Q", q);
	if (h)
		httpd_add_header(req, "X-H", h);
	httpd_reply(req, 200, "text/plain", body, len);
}

static int on_part(
	struct httpd_req *req, const struct httpd_part *part, const void *data, size_t len)
{
	volatile unsigned char sum = 0;

	(void)req;
	for (size_t i = 0; i < len; i++)
		sum = (unsigned char)(sum + ((const unsigned char *)data)[i]);
	if (strlen(part->name) > 70000)
		abort();
	return part->filename && strcmp(part->filename, "refuse") == 0 ? -EMSGSIZE : 0;
}

static int on_body(struct httpd_req *req, const void *data, size_t len)
{
	(void)req;
	return len && *(const char *)data == '!' ? -ENOSPC : 0;
}

static void on_form(struct httpd_req *req)
{
	httpd_replyf(req, 200, NULL, "%d", httpd_is_form(req));
}

static void on_defer(struct httpd_req *req)
{
	httpd_defer(req, NULL);
}

static void on_stream(struct httpd_req *req)
{
	struct httpd_stream *s = httpd_stream_open(req, 200, "text/plain", 100, NULL, NULL, NULL);

	if (!s)
		return;
	httpd_stream_write(s, "hello\n", 6);
	if (httpd_query(req, "end"))
		httpd_stream_end(s);
}

static void on_file(struct httpd_req *req)
{
	httpd_reply_file(req, open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "text/plain");
}

static void on_begin(struct httpd_req *req)
{
	open_requests++;
	httpd_set_data(req, &open_requests, NULL);
}

static void on_done(struct httpd_req *req)
{
	if (httpd_data(req))
		open_requests--;
}

static const struct httpd_route routes[] = {
	{.method = "POST",
		.pattern = "/echo/{x...}",
		.handler = on_echo,
		.begin = on_begin,
		.body_max = 1000},
	{.method = "GET", .pattern = "/echo", .handler = on_echo, .begin = on_begin},
	{.method = "POST",
		.pattern = "/form",
		.handler = on_form,
		.begin = on_begin,
		.part = on_part,
		.body_max = 1000000},
	{.method = "POST",
		.pattern = "/both",
		.handler = on_echo,
		.part = on_part,
		.buffer_other = true},
	{.method = "PUT",
		.pattern = "/body",
		.handler = on_form,
		.begin = on_begin,
		.body = on_body,
		.body_max = 2000},
	{.method = "GET", .pattern = "/defer", .handler = on_defer, .begin = on_begin},
	{.method = "GET", .pattern = "/stream", .handler = on_stream, .begin = on_begin},
	{.method = "GET", .pattern = "/file", .handler = on_file},
};

static void tear_down(void)
{
	httpd_free(server); /* unlinks the socket */
	loop_free(loop);
	*strrchr(address.sun_path, '/') = '\0';
	rmdir(address.sun_path);
}

static void set_up(void)
{
	struct httpd_config cfg = {.routes = routes,
		.route_count = ARRAY_SIZE(routes),
		.lenient_paths = true,
		.answer_405 = true,
		.done = on_done,
		.conn_memory_bytes = 4096,
		.drain_max_bytes = 10000};
	char dir[] = "/tmp/uig-fuzz-http-XXXXXX";

	if (loop_new(&loop) < 0 || !mkdtemp(dir))
		abort();
	cfg.loop = loop;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", dir);
	if (httpd_new(&cfg, &server, NULL) < 0 ||
		httpd_listen_unix(server, address.sun_path, 0600, NULL) < 0)
		abort();
	atexit(tear_down);
}

static void turn(int fd, int n)
{
	char sink[8192];

	for (int i = 0; i < n; i++) {
		if (loop_once(loop, 0) < 0)
			abort();
		if (fd >= 0 && recv(fd, sink, sizeof(sink), MSG_DONTWAIT) == 0)
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t cut;
	int fd;

	if (!server)
		set_up();
	if (size < 1)
		return 0;
	cut = 1 + data[0] * (size - 1) / 256;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		abort();
	if (send(fd, data + 1, cut - 1, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
		turn(fd, 4);
		send(fd, data + cut, size - cut, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	turn(fd, 8);
	close(fd);
	for (int i = 0; i < 1000 && httpd_connections(server); i++)
		turn(-1, 1);
	if (httpd_connections(server) || httpd_requests(server) || open_requests)
		abort();
	return 0;
}
