/* SPDX-License-Identifier: Apache-2.0 */
/* Short connections to instances, against the other end of a socket pair; what can fail does, and leaves no descriptor. */
#include "daemon/network/probe.h"

#include "daemon/network/network.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct far {
	struct loop *loop;
	int end;     /* of the connection under way */
	int refused; /* errno of connect() */
	bool no_socket;
	unsigned connected, readable;
} far;

int __wrap_network_socket(const struct network *net, int type);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);

int __wrap_network_socket(const struct network *net, int type)
{
	int ends[2];

	(void)net;
	assert_int_equal(type, SOCK_STREAM);
	if (far.no_socket)
		return -EMFILE;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	far.end = ends[1];
	return ends[0];
}

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)to;

	(void)fd;
	assert_int_equal(len, sizeof(*in));
	assert_int_equal(ntohl(in->sin_addr.s_addr), 0x0a4d0002);
	assert_int_equal(ntohs(in->sin_port), 8080);
	errno = far.refused ? far.refused : EINPROGRESS;
	return -1;
}

static void on_connected(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	far.connected++;
	loop_stop(far.loop, 0);
}

static void on_readable(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	far.readable++;
	loop_stop(far.loop, 0);
}

static void on_timer(void *arg)
{
	(void)arg;
}

static void setup(struct probe *p)
{
	far = (struct far){.end = -1};
	assert_int_equal(loop_new(&far.loop), 0);
	assert_int_equal(probe_init(p, far.loop, NULL, 0x0a4d0002, 8080, on_timer, p), 0);
}

static void teardown(struct probe *p)
{
	probe_fini(p);
	loop_free(far.loop);
	if (far.end >= 0)
		close(far.end);
}

static void ask(bool http10, const char *request)
{
	char text[512] = "", path[] = "/a?b=c";
	struct probe p;

	setup(&p);
	assert_int_equal(probe_connect(&p, on_connected, NULL), 0);
	assert_true(probe_is_open(&p));
	loop_run(far.loop);
	assert_int_equal(far.connected, 1);
	assert_int_equal(probe_error(&p), 0);
	assert_int_equal(probe_get(&p, path, http10, on_readable, NULL), 0);
	assert_int_equal(recv(far.end, text, sizeof(text) - 1, 0), strlen(request));
	assert_string_equal(text, request);
	assert_int_equal(send(far.end, "x", 1, 0), 1);
	loop_run(far.loop);
	assert_int_equal(far.readable, 1);
	probe_close(&p);
	assert_false(probe_is_open(&p));
	assert_int_equal(
		recv(far.end, text, sizeof(text), 0), -1); /* of a byte that was not read */
	assert_int_equal(errno, ECONNRESET);
	teardown(&p);
}

static void test_asks(void **state)
{
	(void)state;
	ask(false,
		"GET /a?b=c HTTP/1.1\r\nHost: localhost\r\nUser-Agent: uigniterd\r\n"
		"Connection: close\r\n\r\n");
	ask(true,
		"GET /a?b=c HTTP/1.0\r\nHost: localhost\r\nUser-Agent: uigniterd\r\n"
		"Connection: close\r\n\r\n");
}

static void test_fails(void **state)
{
	char path[PROBE_PATH_BYTES + 128];
	struct probe p;

	(void)state;
	setup(&p);
	far.no_socket = true;
	assert_int_equal(probe_connect(&p, on_connected, NULL), -EMFILE);
	assert_false(probe_is_open(&p));
	far.no_socket = false;
	far.refused = ENETUNREACH;
	assert_int_equal(probe_connect(&p, on_connected, NULL), -ENETUNREACH);
	assert_false(probe_is_open(&p));
	assert_int_equal(recv(far.end, path, 1, 0), 0); /* it was closed */
	close(far.end);
	far.refused = 0;
	assert_int_equal(probe_connect(&p, on_connected, NULL), 0);
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(probe_get(&p, path, false, on_readable, NULL), -ENAMETOOLONG);
	close(far.end);
	far.end = -1;
	assert_int_equal(probe_get(&p, "/", false, on_readable, NULL), -EPIPE);
	teardown(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asks),
		cmocka_unit_test(test_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
