/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP sockets, both ends in one stack: over the loopback, and over eth0 through the mirror of wire.h, with loss, doubling and reordering.
 * After each test all connections have ended, all memory is back and no timer is armed: an idle instance sleeps.
 */
#include "tests/unit/libos/net/net.h"

static uint32_t peer_ip = LOOPBACK; /* where clients connect to */
static long live_before;

static int lfd;
static int fd[2]; /* client, server */

static int setup(void **state)
{
	wire.lose = wire.dup = wire.delay = 0;
	wire.unplugged = false;
	wire.tap = NULL;
	shim_signal = shim_deadlock = false;
	shim_sigpipes = 0;
	live_before = shim_live();
	lfd = t_listen(0, 80, 16);
	t_pair_on(peer_ip, 80, lfd, fd);
	return 0;
}

static int teardown(void **state)
{
	for (int i = 3; i < 2048; i++)
		fd_close(i);
	wire.lose = wire.dup = wire.delay = 0;
	wire.unplugged = false;
	wire.tap = NULL;
	t_quiet();
	return 0;
}

static void echo(void **state)
{
	char buf[16] = {0};

	assert_int_equal(shim_write(fd[0], "hello", 5), 5);
	assert_int_equal(shim_read(fd[1], buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(shim_write(fd[1], "HELLO", 5), 5);
	assert_int_equal(t_recv(fd[0], buf, 3, MSG_PEEK), 3);
	assert_int_equal(t_recv(fd[0], buf, 5, MSG_WAITALL), 5);
	assert_memory_equal(buf, "HELLO", 5);
	assert_int_equal(t_recv(fd[0], buf, 5, MSG_DONTWAIT), -EAGAIN);
}

/* Sends `total` bytes from a to b, both non-blocking, whenever there is room or data. */
static void stream(int a, int b, size_t total)
{
	static unsigned char out[60000], in[70000];
	size_t sent = 0, got = 0;
	unsigned idle = 0;

	shim_set_nonblock(a);
	shim_set_nonblock(b);
	while (got < total) {
		size_t want = total - sent < sizeof(out) ? total - sent : sizeof(out);
		long n = 0, m;

		for (size_t i = 0; i < want; i++)
			out[i] = (unsigned char)((sent + i) * 7 >> 3);
		if (want > 0)
			n = shim_write(a, out, want);
		assert_true(n > 0 || n == 0 || n == -EAGAIN);
		sent += n > 0 ? (size_t)n : 0;
		shim_settle();
		m = shim_read(b, in, sizeof(in));
		assert_true(m > 0 || m == -EAGAIN);
		for (long i = 0; i < m; i++)
			assert_int_equal(in[i], (unsigned char)((got + (size_t)i) * 7 >> 3));
		got += m > 0 ? (size_t)m : 0;
		if (n <= 0 && m <= 0)
			shim_run(SECOND / 20); /* lost packets come again by timer */
		idle = m > 0 ? 0 : idle + 1;
		assert_true(idle < 20000);
	}
	assert_int_equal(sent, total);
}

static void big(void **state)
{
	stream(fd[0], fd[1], 3000000);
	stream(fd[1], fd[0], 3000000);
}

static void lossy(void **state)
{
	wire.lose = 20;
	wire.dup = 20;
	wire.delay = 100;
	for (int i = 0; i < 20 && wire.lost < 5; i++) /* large segments are few */
		stream(fd[0], fd[1], 1000000);
	assert_true(wire.lost > 0);
}

static void half_close(void **state)
{
	char buf[8];

	assert_int_equal(shim_write(fd[0], "abc", 3), 3);
	assert_int_equal(CALL(shutdown, fd[0], SHUT_WR), 0);
	assert_int_equal(shim_read(fd[1], buf, 8), 3);
	assert_int_equal(shim_read(fd[1], buf, 8), 0);
	assert_int_equal(shim_poll(fd[1]), POLLIN | POLLOUT | POLLRDHUP);
	assert_int_equal(shim_write(fd[1], "defg", 4), 4);
	assert_int_equal(shim_read(fd[0], buf, 8), 4);
	assert_int_equal(shim_write(fd[0], "x", 1), -EPIPE);
	assert_int_equal(shim_sigpipes, 1);
	assert_int_equal(t_send(fd[0], "x", 1, MSG_NOSIGNAL), -EPIPE);
	assert_int_equal(shim_sigpipes, 1);
	assert_int_equal(CALL(shutdown, fd[1], SHUT_WR), 0);
	assert_int_equal(shim_read(fd[0], buf, 8), 0);
	shim_settle();
	assert_int_equal(shim_poll(fd[0]), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	assert_int_equal(shim_poll(fd[1]), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	assert_int_equal(CALL(shutdown, fd[0], SHUT_WR), -ENOTCONN);
}

static void close_sends_all(void **state)
{
	static char buf[100000];
	long n = shim_write(shim_set_nonblock(fd[0]), buf, sizeof(buf)), got = 0, m;

	assert_int_equal(n, sizeof(buf));
	fd_close(fd[0]);
	while ((m = shim_read(fd[1], buf, sizeof(buf))) > 0)
		got += m;
	assert_int_equal(m, 0);
	assert_int_equal(got, n);
}

/* The end lies in a segment that is sent in parts, as the reader makes room: it has to stay behind the last one. */
static void close_behind_a_small_window(void **state)
{
	static unsigned char buf[20000];
	size_t sent = 0, got = 0, piece = 700;
	long n, m;

	shim_set_nonblock(fd[0]);
	do {
		for (size_t i = 0; i < sizeof(buf); i++)
			buf[i] = (unsigned char)((sent + i) * 5 >> 2);
		n = shim_write(fd[0], buf, sizeof(buf));
		sent += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	assert_int_equal(n, -EAGAIN);
	fd_close(fd[0]);
	while ((m = shim_read(fd[1], buf, piece)) > 0) {
		for (long i = 0; i < m; i++)
			assert_int_equal(buf[i], (unsigned char)((got + (size_t)i) * 5 >> 2));
		got += (size_t)m;
		piece = piece * 3 % 19001 + 1;
	}
	assert_int_equal(m, 0);
	assert_int_equal(got, sent);
}

static void close_unread_resets(void **state)
{
	char c;

	assert_int_equal(shim_write(fd[0], "abc", 3), 3);
	shim_settle();
	fd_close(fd[1]);
	shim_settle();
	assert_int_equal(shim_poll(fd[0]), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
	assert_int_equal(shim_read(fd[0], &c, 1), -ECONNRESET);
	assert_int_equal(shim_read(fd[0], &c, 1), 0);
	assert_int_equal(t_send(fd[0], "x", 1, MSG_NOSIGNAL), -EPIPE);
}

static void linger_zero_resets(void **state)
{
	struct linger l = {1, 0};

	assert_int_equal(CALL(setsockopt, fd[0], SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	fd_close(fd[0]);
	shim_settle();
	assert_int_equal(t_getopt(fd[1], SOL_SOCKET, SO_ERROR), ECONNRESET);
	assert_int_equal(t_getopt(fd[1], SOL_SOCKET, SO_ERROR), 0);
}

static void refused(void **state)
{
	int c = t_socket(SOCK_STREAM), n = t_socket(SOCK_STREAM | SOCK_NONBLOCK);

	assert_int_equal(shim_poll(c), POLLOUT | POLLHUP);
	assert_int_equal(t_connect(c, peer_ip, 81), -ECONNREFUSED);
	assert_int_equal(t_connect(n, peer_ip, 81), -EINPROGRESS);
	assert_int_equal(t_connect(n, peer_ip, 81), -EALREADY);
	assert_int_equal(shim_poll(n), 0);
	shim_settle();
	assert_int_equal(shim_poll(n), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
	assert_int_equal(t_getopt(n, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	assert_int_equal(t_connect(n, peer_ip, 80), -EINPROGRESS); /* it can be tried again */
	shim_settle();
	assert_int_equal(shim_poll(n), POLLOUT);
	assert_int_equal(t_getopt(n, SOL_SOCKET, SO_ERROR), 0);
	assert_int_equal(t_connect(n, peer_ip, 80), -EISCONN);
}

static void states(void **state)
{
	int s = t_socket(SOCK_STREAM);
	char c;

	assert_int_equal(shim_read(s, &c, 1), -ENOTCONN);
	assert_int_equal(t_send(s, "x", 1, MSG_NOSIGNAL), -EPIPE);
	assert_int_equal(CALL(shutdown, s, SHUT_RDWR), -ENOTCONN);
	assert_int_equal(t_accept(s), -EINVAL);
	assert_int_equal(t_accept(fd[0]), -EINVAL);
	assert_int_equal(CALL(listen, fd[0], 1), -EINVAL);
	assert_int_equal(t_connect(lfd, peer_ip, 80), -EISCONN);
	assert_int_equal(t_bind(fd[0], 0, 99), -EINVAL);
	assert_int_equal(t_bind(s, 0x08080808, 99), -EADDRNOTAVAIL);
	assert_int_equal(t_bind(s, 0, 80), -EADDRINUSE);
	assert_int_equal(t_getopt(lfd, SOL_SOCKET, SO_ACCEPTCONN), 1);
	assert_int_equal(t_getopt(s, SOL_SOCKET, SO_ACCEPTCONN), 0);
	assert_int_equal(CALL(listen, s, 5), 0); /* unbound: any port */
	assert_in_range(t_port(s), 32768, 60999);
}

static void names(void **state)
{
	struct sockaddr_in a;
	int len = sizeof(a), cut = 4;

	assert_int_equal(CALL(getpeername, fd[0], &a, &len), 0);
	assert_int_equal(len, sizeof(a));
	assert_int_equal(a.sin_addr.s_addr, peer_ip);
	assert_int_equal(a.sin_port, 80 << 8);
	assert_int_equal(CALL(getsockname, fd[1], &a, &len), 0);
	assert_int_equal(a.sin_port, 80 << 8);
	a.sin_addr.s_addr = 77;
	assert_int_equal(CALL(getsockname, fd[1], &a, &cut), 0);
	assert_int_equal(cut, sizeof(a)); /* value-result: the true length */
	assert_int_equal(a.sin_addr.s_addr, 77);
	cut = -1;
	assert_int_equal(CALL(getsockname, fd[1], &a, &cut), -EINVAL);
	assert_int_equal(CALL(getpeername, lfd, &a, &len), -ENOTCONN);
	assert_int_equal(CALL(getsockname, 999, &a, &len), -EBADF);
	assert_int_equal(CALL(getsockname, fd[1], 8, &len), -EFAULT);
}

static void backlog(void **state)
{
	int l = t_listen(0, 82, 2), c[8], ready = 0;

	for (int i = 0; i < 8; i++) {
		c[i] = t_socket(SOCK_STREAM | SOCK_NONBLOCK);
		assert_int_equal(t_connect(c[i], peer_ip, 82), -EINPROGRESS);
		shim_settle();
		ready += shim_poll(c[i]) == POLLOUT;
	}
	assert_int_equal(ready, 3); /* backlog + 1, as Linux */
	assert_int_equal(shim_poll(l), POLLIN);
	assert_true(t_accept(l) >= 0);
	shim_run(4 * SECOND); /* the SYN that was dropped comes again */
	ready = 0;
	for (int i = 0; i < 8; i++)
		ready += shim_poll(c[i]) == POLLOUT;
	assert_int_equal(ready, 4);
	fd_close(l); /* resets those that nobody accepted */
	shim_settle();
	ready = 0;
	for (int i = 0; i < 8; i++)
		ready += (shim_poll(c[i]) & POLLHUP) != 0;
	assert_true(ready >= 3);
}

static void reuseport(void **state)
{
	int a = t_socket(SOCK_STREAM | SOCK_NONBLOCK), b = t_socket(SOCK_STREAM | SOCK_NONBLOCK),
	    na = 0, nb = 0;

	assert_int_equal(t_setopt(a, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	assert_int_equal(t_bind(a, 0, 83), 0);
	assert_int_equal(t_bind(b, 0, 83), -EADDRINUSE);
	assert_int_equal(t_setopt(b, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	assert_int_equal(t_bind(b, 0, 83), 0);
	assert_int_equal(CALL(listen, a, 100), 0);
	assert_int_equal(CALL(listen, b, 100), 0);
	for (int i = 0; i < 40; i++) {
		int c = t_socket(SOCK_STREAM);

		assert_int_equal(t_connect(c, peer_ip, 83), 0);
		shim_settle();
		na += t_accept(a) >= 0;
		nb += t_accept(b) >= 0;
	}
	assert_int_equal(na + nb, 40);
	assert_true(na >= 8 && nb >= 8);
}

static void defer_accept(void **state)
{
	int l = t_listen(0, 84, 4), c = t_socket(SOCK_STREAM);

	assert_int_equal(t_setopt(l, SOL_TCP, TCP_DEFER_ACCEPT, 1), 0);
	assert_int_equal(t_connect(c, peer_ip, 84), 0);
	shim_settle();
	assert_int_equal(shim_poll(l), 0);
	assert_int_equal(t_accept(l), -EAGAIN);
	assert_int_equal(shim_write(c, "x", 1), 1);
	shim_settle();
	assert_int_equal(shim_poll(l), POLLIN);
	assert_true(t_accept(l) >= 0);
}

static void cork(void **state)
{
	char buf[64];

	assert_int_equal(t_setopt(fd[0], SOL_TCP, TCP_NODELAY, 1), 0);
	assert_int_equal(t_setopt(fd[0], SOL_TCP, TCP_CORK, 1), 0);
	assert_int_equal(shim_write(fd[0], "head", 4), 4);
	shim_settle();
	assert_int_equal(t_recv(fd[1], buf, 64, MSG_DONTWAIT), -EAGAIN);
	assert_int_equal(shim_write(fd[0], "body", 4), 4);
	assert_int_equal(t_setopt(fd[0], SOL_TCP, TCP_CORK, 0), 0);
	shim_settle();
	assert_int_equal(t_recv(fd[1], buf, 64, MSG_DONTWAIT), 8);
	assert_int_equal(t_send(fd[0], "more", 4, MSG_MORE), 4);
	shim_settle();
	assert_int_equal(t_recv(fd[1], buf, 64, MSG_DONTWAIT), -EAGAIN);
	assert_int_equal(t_send(fd[0], "end", 3, 0), 3);
	shim_settle();
	assert_int_equal(t_recv(fd[1], buf, 64, MSG_DONTWAIT), 7);
	assert_int_equal(t_send(fd[0], "forgotten", 9, MSG_MORE), 9);
	shim_run(SECOND / 2); /* nothing is held back for ever */
	assert_int_equal(t_recv(fd[1], buf, 64, MSG_DONTWAIT), 9);
}

/* The receiver's window closes and opens; the sender's buffer fills and drains, with one POLLOUT edge. */
static unsigned edges;
static bool count_edge(struct poll_watch *w, uint32_t events)
{
	edges += (events & POLLOUT) != 0;
	return false;
}

/* Both windows closed: acknowledgements must not answer each other for ever, and all arrives in the end. */
static void both_windows_closed(void **state)
{
	static char buf[4096];
	size_t sent[2] = {0, 0}, got[2] = {0, 0};

	for (int i = 0; i < 2; i++)
		shim_set_nonblock(fd[i]);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 2; i++) {
			long n;

			while ((n = shim_write(fd[i], buf, sizeof(buf))) > 0)
				sent[i] += (size_t)n;
		}
		shim_run(SECOND / 5);
	}
	uint64_t frames = wire.sent;
	shim_run(SECOND);
	assert_true(wire.sent - frames < 20);
	for (int idle = 0; (got[0] < sent[1] || got[1] < sent[0]) && idle < 2000; idle++) {
		for (int i = 0; i < 2; i++) {
			long n = shim_read(fd[i], buf, sizeof(buf));

			got[i] += n > 0 ? (size_t)n : 0;
			if (n > 0)
				idle = 0;
		}
		shim_run(SECOND / 50);
	}
	assert_int_equal(got[0], sent[1]);
	assert_int_equal(got[1], sent[0]);
}

static void flow_control(void **state)
{
	static char buf[65536];
	struct poll_watch w = {.notify = count_edge};
	struct pollable *p = fd_file(fd[0])->ops->pollable(fd_file(fd[0]));
	size_t sent = 0, got = 0;
	long n;

	shim_set_nonblock(fd[0]);
	shim_set_nonblock(fd[1]);
	while ((n = shim_write(fd[0], buf, sizeof(buf))) > 0 || shim_poll(fd[0]) & POLLOUT) {
		sent += n > 0 ? (size_t)n : 0;
		shim_settle();
	}
	assert_int_equal(n, -EAGAIN);
	assert_true(sent > 256000 && sent < 1200000);
	shim_run(30 * SECOND); /* zero window: probes, no data */
	edges = 0;
	poll_watch_add(p, &w);
	while (got < sent) {
		n = shim_read(fd[1], buf, sizeof(buf));
		got += n > 0 ? (size_t)n : 0;
		if (n <= 0)
			shim_run(SECOND / 20);
	}
	shim_settle();
	poll_watch_del(&w);
	assert_int_equal(edges, 1);
	assert_true(shim_poll(fd[0]) & POLLOUT);
}

/* A write that announces another one (sendfile) is sent with that, or when nothing more comes after all. */
static void announced_writes(void **state)
{
	struct file *f = fd_file(fd[0]);
	char buf[100] = {0};
	struct iter it;

	for (unsigned bytes = 0; bytes < 2; bytes++) {
		shim_run(SECOND); /* an acknowledgement would have it sent, too */
		iter_kernel(&it, buf, sizeof(buf));
		it.more = true;
		assert_int_equal(f->ops->write(f, &it, NULL, true), sizeof(buf));
		shim_settle();
		assert_int_equal(t_recv(fd[1], buf, sizeof(buf), MSG_DONTWAIT), -EAGAIN);
		iter_kernel(&it, buf, bytes);
		assert_int_equal(f->ops->write(f, &it, NULL, true), bytes);
		shim_settle();
		assert_int_equal(t_recv(fd[1], buf, sizeof(buf), 0), sizeof(buf));
		assert_int_equal(
			t_recv(fd[1], buf, sizeof(buf), MSG_DONTWAIT), bytes ? 1 : -EAGAIN);
	}
}

/* A reader in small pieces tells of the window once, when it sleeps: not once a piece. */
static void reads_share_an_acknowledgement(void **state)
{
	static char buf[60000];
	uint64_t sent;

	assert_int_equal(shim_write(fd[0], buf, sizeof(buf)), sizeof(buf));
	shim_settle();
	sent = wire.sent;
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(shim_read(fd[1], buf, 4000), 4000);
	shim_settle();
	assert_in_range(wire.sent - sent, 0, 1);
}

/* A buffer of few segments, read as soon as there is something: its window opens again without waiting for a timer. */
static void small_buffer_is_quick(void **state)
{
	uint64_t before;
	int pair[2];

	assert_int_equal(t_setopt(lfd, SOL_SOCKET, SO_RCVBUF, 2048), 0);
	t_pair_on(peer_ip, 80, lfd, pair);
	before = shim_now;
	stream(pair[0], pair[1], 300000);
	assert_in_range(shim_now - before, 0, SECOND);
}

static void timeouts(void **state)
{
	struct sock_timeval tv = {0, 250000};
	uint64_t before = shim_now;
	char c;

	assert_int_equal(CALL(setsockopt, fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	assert_int_equal(shim_read(fd[0], &c, 1), -EAGAIN);
	assert_in_range(shim_now - before, 250000000, 260000000);
	shim_signal = true;
	assert_int_equal(
		shim_read(fd[0], &c, 1), -EINTR); /* with a time-out it is not started again */
	tv.usec = 0;
	assert_int_equal(CALL(setsockopt, fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	assert_int_equal(shim_read(fd[0], &c, 1), -ERESTARTSYS);
	tv.usec = 1000000;
	assert_int_equal(CALL(setsockopt, fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), -EDOM);
}

/* A connection that rests needs no timer; with keep-alive it needs one, far away. */
static void idle_is_silent(void **state)
{
	echo(state);
	shim_run(8 * SECOND); /* the ARP entry as well */
	assert_true(shim_next_timer() == UINT64_MAX);
	assert_int_equal(t_setopt(fd[0], SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	assert_int_equal(t_setopt(fd[0], SOL_TCP, TCP_KEEPIDLE, 100), 0);
	shim_run(SECOND);
	assert_true(shim_next_timer() - shim_now > 90 * SECOND);
	shim_run(300 * SECOND); /* probes are answered */
	assert_int_equal(shim_poll(fd[0]), POLLOUT);
	/* Time in which nothing could be asked says nothing about the peer: an instance that was paused keeps its connections. */
	assert_int_equal(t_setopt(fd[0], SOL_TCP, TCP_KEEPIDLE, 1), 0);
	assert_int_equal(t_setopt(fd[0], SOL_TCP, TCP_KEEPINTVL, 1), 0);
	assert_int_equal(t_setopt(fd[0], SOL_TCP, TCP_KEEPCNT, 5), 0);
	shim_run(3 * SECOND);
	shim_now += 60 * SECOND;
	shim_run(3 * SECOND);
	assert_int_equal(shim_poll(fd[0]), POLLOUT);
	assert_int_equal(t_setopt(fd[0], SOL_SOCKET, SO_KEEPALIVE, 0), 0);
	shim_run(8 * SECOND); /* the ARP entry, which was old */
	assert_true(shim_next_timer() == UINT64_MAX);
}

static void options(void **state)
{
	assert_int_equal(t_getopt(fd[0], SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	assert_int_equal(t_getopt(fd[0], SOL_SOCKET, SO_DOMAIN), AF_INET);
	assert_int_equal(t_getopt(fd[0], SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	assert_int_equal(t_setopt(fd[0], SOL_SOCKET, SO_RCVBUF, 10000), 0);
	assert_int_equal(t_getopt(fd[0], SOL_SOCKET, SO_RCVBUF), 20000);
	assert_int_equal(t_setopt(fd[0], SOL_TCP, TCP_NODELAY, 1), 0);
	assert_int_equal(t_getopt(fd[0], SOL_TCP, TCP_NODELAY), 1);
	assert_int_equal(t_getopt(fd[0], SOL_TCP, TCP_MAXSEG), 1460);
	assert_int_equal(t_setopt(fd[0], SOL_TCP, 9999, 1), -ENOPROTOOPT);
	assert_int_equal(t_setopt(fd[0], SOL_SOCKET, 9999, 1), -ENOPROTOOPT);
	assert_int_equal(t_setopt(fd[0], 41, 26, 1), -ENOPROTOOPT); /* IPV6_V6ONLY */
	assert_int_equal(t_setopt(fd[0], SOL_IP, IP_TTL, 300), -EINVAL);
	assert_int_equal(CALL(setsockopt, fd[0], SOL_SOCKET, SO_REUSEADDR, &lfd, 2), -EINVAL);
	assert_int_equal(CALL(setsockopt, fd[0], SOL_SOCKET, SO_REUSEADDR, 16, 4), -EFAULT);
	struct tcp_info ti;
	int len = sizeof(ti);
	assert_int_equal(CALL(getsockopt, fd[0], SOL_TCP, TCP_INFO, &ti, &len), 0);
	assert_int_equal(ti.state, 1);
	assert_int_equal(len, sizeof(ti));
}

/* The server ends first and has TIME_WAIT; the same client port may come again at once. */
static void time_wait_reuse(void **state)
{
	for (int i = 0; i < 3; i++) {
		int c = t_socket(SOCK_STREAM), s;

		assert_int_equal(t_setopt(c, SOL_SOCKET, SO_REUSEADDR, 1), 0);
		assert_int_equal(t_bind(c, 0, 5000), 0);
		assert_int_equal(t_connect(c, WIRE_PEER, 80), 0);
		shim_settle();
		s = t_accept(lfd);
		assert_true(s >= 0);
		fd_close(s); /* active end: TIME_WAIT at the server */
		shim_settle();
		fd_close(c);
		shim_run(SECOND / 1000); /* sequence numbers begin by the clock */
	}
}

static void vanished_peer(void **state)
{
	int c = t_socket(SOCK_STREAM);
	uint64_t before = shim_now;
	char b;

	wire.unplugged = true;
	assert_int_equal(t_connect(c, WIRE_PEER, 80), -ETIMEDOUT);
	assert_in_range(shim_now - before, 10 * SECOND, 150 * SECOND);
	assert_int_equal(shim_write(fd[0], "x", 1), 1);
	assert_int_equal(shim_read(fd[0], &b, 1), -ETIMEDOUT);
}

static uint64_t probes; /* small packets from the client, without data */

static bool count_frames(const unsigned char *frame, size_t len)
{
	(void)frame;
	(void)len;
	probes++;
	return false;
}

/* An ARP announcement of the address: it is somebody else's now, or nobody's. */
static void announce(uint32_t ip)
{
	static const unsigned char head[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1,
		8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1};
	unsigned char frame[42] = {0};

	memcpy(frame, head, sizeof(head));
	memcpy(frame + 28, &ip, 4);
	memcpy(frame + 38, &ip, 4);
	wire_inject(frame, sizeof(frame), 0);
	shim_settle();
}

/* A peer that is said to be gone is asked, and if it answers all is as it was; nobody is asked who is not meant. */
static void announced_peer_lives(void **state)
{
	shim_run(8 * SECOND);
	wire.tap = count_frames;
	probes = 0;
	announce(WIRE_PEER + 0x05000000);
	shim_run(8 * SECOND);
	assert_int_equal(probes, 0);
	announce(WIRE_PEER);
	assert_in_range(probes, 1, 8); /* of both ends, which are ours; and their answers */
	shim_run(20 * SECOND);
	probes = 0;
	shim_run(60 * SECOND);
	assert_int_equal(probes, 0);
	assert_true(shim_next_timer() == UINT64_MAX);
	wire.tap = NULL;
	echo(state);
}

/* Who only waits hears nothing of a peer that vanishes, until it is announced; then within a few seconds. */
static void announced_peer_is_gone(void **state)
{
	uint64_t before;
	char b;

	wire.unplugged = true;
	shim_run(60 * SECOND);
	assert_int_equal(t_recv(fd[0], &b, 1, MSG_DONTWAIT), -EAGAIN);
	before = shim_now;
	announce(WIRE_PEER);
	announce(WIRE_PEER);
	assert_int_equal(shim_read(fd[0], &b, 1), -ETIMEDOUT);
	assert_in_range(shim_now - before, 1 * SECOND, 5 * SECOND);
}

/* Allocation fails at every place in turn: calls fail with an errno, nothing leaks, the stack goes on. */
static void no_memory(void **state)
{
	for (long n = 0; n < 60; n++) {
		char buf[2000] = {0};

		shim_fail_after = n;
		int c = t_socket(SOCK_STREAM | SOCK_NONBLOCK);
		if (c >= 0) {
			t_connect(c, peer_ip, 80);
			shim_settle();
			t_send(c, buf, sizeof(buf), MSG_NOSIGNAL | MSG_DONTWAIT);
			shim_settle();
		}
		int s = t_accept(lfd);
		if (s >= 0)
			t_recv(s, buf, sizeof(buf), MSG_DONTWAIT);
		shim_fail_after = -1;
		shim_run(SECOND);
		if (s < 0)
			s = t_accept(lfd);
		fd_close(c);
		fd_close(s);
	}
	echo(state);
}

static void no_leaks(void **state)
{
	static long first;

	if (first == 0)
		first = live_before;
	assert_true(live_before <= first + 300); /* pools of buffers may have grown, nothing else */
}

#define ON(ip, fn) cmocka_unit_test_setup_teardown(fn, ip ? setup_wire : setup_lo, teardown)
static int setup_lo(void **state)
{
	peer_ip = LOOPBACK;
	return setup(state);
}
static int setup_wire(void **state)
{
	peer_ip = WIRE_PEER;
	return setup(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ON(0, echo),
		ON(1, echo),
		ON(0, big),
		ON(1, big),
		ON(1, lossy),
		ON(0, half_close),
		ON(1, half_close),
		ON(0, close_sends_all),
		ON(0, close_behind_a_small_window),
		ON(1, close_sends_all),
		ON(0, close_unread_resets),
		ON(1, close_unread_resets),
		ON(0, linger_zero_resets),
		ON(0, refused),
		ON(1, refused),
		ON(0, states),
		ON(0, names),
		ON(1, names),
		ON(0, backlog),
		ON(1, backlog),
		ON(1, reuseport),
		ON(0, defer_accept),
		ON(0, cork),
		ON(1, cork),
		ON(0, flow_control),
		ON(0, both_windows_closed),
		ON(1, flow_control),
		ON(1, both_windows_closed),
		ON(0, announced_writes),
		ON(1, announced_writes),
		ON(1, reads_share_an_acknowledgement),
		ON(0, small_buffer_is_quick),
		ON(1, small_buffer_is_quick),
		ON(0, timeouts),
		ON(0, idle_is_silent),
		ON(1, idle_is_silent),
		ON(0, options),
		ON(1, time_wait_reuse),
		ON(1, vanished_peer),
		ON(1, announced_peer_lives),
		ON(1, announced_peer_is_gone),
		ON(0, no_memory),
		ON(1, no_memory),
		ON(0, no_leaks),
	};
	uint64_t features = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;

	if (wire_start(features) < 0)
		return 1;
	shim_settle();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
