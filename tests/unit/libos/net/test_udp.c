/* SPDX-License-Identifier: Apache-2.0 */
/* UDP sockets over the loopback and over eth0's mirror, errors from ICMP, messages with several buffers. */
#include "tests/unit/libos/net/net.h"

static int server, client;

static int setup(void **state)
{
	shim_signal = false;
	server = t_socket(SOCK_DGRAM | SOCK_NONBLOCK);
	client = t_socket(SOCK_DGRAM | SOCK_NONBLOCK);
	assert_int_equal(t_bind(server, 0, 53), 0);
	return 0;
}

static int teardown(void **state)
{
	for (int i = 3; i < 2048; i++)
		fd_close(i);
	t_quiet();
	return 0;
}

static long send_to(int fd, uint32_t ip, unsigned port, const void *p, size_t n)
{
	struct sockaddr_in a = in_addr_of(ip, port);

	return CALL(sendto, fd, p, n, 0, &a, sizeof(a));
}

static void there_and_back(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct sockaddr_in from;
		int len = sizeof(from);
		char buf[16];

		assert_int_equal(send_to(client, i ? WIRE_PEER : LOOPBACK, 53, "query", 5), 5);
		shim_settle();
		assert_int_equal(shim_poll(server), POLLIN | POLLOUT);
		assert_int_equal(CALL(recvfrom, server, buf, sizeof(buf), 0, &from, &len), 5);
		assert_int_equal(len, sizeof(from));
		assert_int_equal(from.sin_addr.s_addr, i ? WIRE_PEER : LOOPBACK);
		assert_int_equal(CALL(sendto, server, "answer", 6, 0, &from, sizeof(from)), 6);
		shim_settle();
		assert_int_equal(t_recv(client, buf, 3, MSG_TRUNC | MSG_PEEK), 6);
		assert_int_equal(t_recv(client, buf, sizeof(buf), 0), 6);
		assert_memory_equal(buf, "answer", 6);
		assert_int_equal(t_recv(client, buf, sizeof(buf), 0), -EAGAIN);
	}
}

static void sizes(void **state)
{
	static char out[70000], in[70000];

	memset(out, 'u', sizeof(out));
	for (size_t n = 0; n < 65507; n = n * 3 + 1) {
		assert_int_equal(send_to(client, WIRE_PEER, 53, out, n), (long)n);
		shim_settle();
		assert_int_equal(t_recv(server, in, sizeof(in), 0), (long)n);
		assert_memory_equal(in, out, n);
	}
	assert_int_equal(send_to(client, LOOPBACK, 53, out, 65507), 65507);
	shim_settle();
	assert_int_equal(t_recv(server, in, sizeof(in), 0), 65507);
	assert_int_equal(send_to(client, LOOPBACK, 53, out, 65508), -EMSGSIZE);
}

static void connected(void **state)
{
	char buf[8];

	assert_int_equal(t_send(client, "x", 1, 0), -EDESTADDRREQ);
	assert_int_equal(t_connect(client, LOOPBACK, 53), 0);
	assert_int_equal(shim_write(client, "abc", 3), 3);
	shim_settle();
	assert_int_equal(shim_read(server, buf, 8), 3);
	int stranger = t_socket(SOCK_DGRAM);
	assert_int_equal(send_to(stranger, LOOPBACK, t_port(client), "no", 2), 2);
	shim_settle();
	assert_int_equal(shim_read(client, buf, 8), -EAGAIN);
}

static void refused(void **state)
{
	for (int i = 0; i < 2; i++) {
		char b;

		assert_int_equal(t_connect(client, i ? WIRE_PEER : LOOPBACK, 54), 0);
		assert_int_equal(t_send(client, "x", 1, 0), 1);
		shim_settle();
		assert_int_equal(shim_poll(client), POLLOUT | POLLERR);
		assert_int_equal(t_send(client, "x", 1, 0), -ECONNREFUSED);
		assert_int_equal(t_send(client, "x", 1, 0), 1);
		shim_settle();
		assert_int_equal(t_recv(client, &b, 1, 0), -ECONNREFUSED);
		assert_int_equal(t_recv(client, &b, 1, 0), -EAGAIN);
	}
}

static void limits(void **state)
{
	static char buf[1000];
	unsigned n = 0;

	for (int i = 0; i < 1000; i++)
		send_to(client, LOOPBACK, 53, buf, sizeof(buf));
	shim_settle();
	while (t_recv(server, buf, sizeof(buf), 0) > 0)
		n++;
	assert_in_range(n, 100, 220); /* 212992 bytes with overhead: the rest was dropped */
	assert_int_equal(send_to(client, 0xff00000a, 53, "x", 1), -EACCES);
	assert_int_equal(t_setopt(client, SOL_SOCKET, SO_BROADCAST, 1), 0);
	assert_int_equal(send_to(client, 0xff00000a, 53, "x", 1), 1);
}

static void messages(void **state)
{
	char a[3] = "abc", b[4] = "defg", x[2], y[8];
	struct {
		void *p;
		size_t n;
	} out[2] = {{a, 3}, {b, 4}}, in[2] = {{x, 2}, {y, 8}};
	struct sockaddr_in to = in_addr_of(LOOPBACK, 53), from;
	struct user_mmsghdr m[3] = {0};

	for (int i = 0; i < 3; i++)
		m[i].hdr = (struct user_msghdr){.name = (uint64_t)&to,
			.namelen = sizeof(to),
			.iov = (uint64_t)out,
			.iovlen = 2};
	assert_int_equal(CALL(sendmmsg, client, m, 3, 0), 3);
	assert_int_equal(m[2].len, 7);
	shim_settle();
	struct user_msghdr h = {
		.name = (uint64_t)&from, .namelen = 4, .iov = (uint64_t)in, .iovlen = 2};
	assert_int_equal(CALL(recvmsg, server, &h, 0), 7);
	assert_memory_equal(y, "cdefg", 5);
	assert_int_equal(h.namelen, sizeof(from));
	assert_int_equal(h.flags, 0);
	h.iovlen = 1;
	assert_int_equal(CALL(recvmsg, server, &h, 0), 2);
	assert_int_equal(h.flags, MSG_TRUNC);
	for (int i = 0; i < 3; i++)
		m[i].hdr = (struct user_msghdr){.iov = (uint64_t)in, .iovlen = 2};
	assert_int_equal(CALL(recvmmsg, server, m, 3, MSG_WAITFORONE, 0), 1);
	assert_int_equal(m[0].len, 7);
	h.iovlen = 2000;
	assert_int_equal(CALL(recvmsg, server, &h, 0), -EMSGSIZE);
	assert_int_equal(CALL(recvmsg, server, 64, 0), -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(connected, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(limits, setup, teardown),
		cmocka_unit_test_setup_teardown(messages, setup, teardown),
	};

	if (wire_start(0) < 0)
		return 1;
	shim_settle();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
