/* SPDX-License-Identifier: Apache-2.0 */
/* AF_UNIX sockets: pairs, names, descriptors that travel, ends; and AF_NETLINK dumps and the SIOCGIF ioctls beside them. */
#include "tests/unit/libos/net/net.h"

#include "libos/uapi/netlink.h"

static long live_before;

static int setup(void **state)
{
	shim_signal = shim_deadlock = false;
	shim_sigpipes = 0;
	live_before = shim_live();
	return 0;
}

static int teardown(void **state)
{
	for (int i = 3; i < 2048; i++)
		fd_close(i);
	assert_int_equal(shim_live(), live_before);
	return 0;
}

static int unix_socket(unsigned type)
{
	int fd = (int)CALL(socket, AF_UNIX, type | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	return fd;
}

static unsigned unix_addr(struct sockaddr_un *a, const char *name, size_t n)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(a->sun_path, name, n);
	return 2 + (unsigned)n;
}

static void pair_of(unsigned type, int fd[2])
{
	assert_int_equal(CALL(socketpair, AF_UNIX, type | SOCK_NONBLOCK, 0, fd), 0);
}

static void stream(void **state)
{
	static char big[600000], in[600000];
	char buf[16];
	size_t sent = 0, got = 0;
	int fd[2];

	pair_of(SOCK_STREAM, fd);
	assert_int_equal(shim_poll(fd[0]), POLLOUT);
	assert_int_equal(shim_write(fd[0], "abc", 3), 3);
	assert_int_equal(shim_write(fd[0], "def", 3), 3);
	assert_int_equal(t_recv(fd[1], buf, 16, MSG_PEEK), 6);
	assert_int_equal(shim_read(fd[1], buf, 4), 4);
	assert_int_equal(shim_read(fd[1], buf, 4), 2);
	assert_int_equal(shim_read(fd[1], buf, 4), -EAGAIN);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 31 >> 4);
	while (got < sizeof(big)) {
		long n = shim_write(fd[0], big + sent, sizeof(big) - sent);
		sent += n > 0 ? (size_t)n : 0;
		assert_true(n > 0 || n == -EAGAIN || n == 0);
		n = shim_read(fd[1], in + got, 100000);
		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_memory_equal(big, in, sizeof(big));
	assert_int_equal(CALL(shutdown, fd[0], SHUT_WR), 0);
	assert_int_equal(shim_poll(fd[1]), POLLIN | POLLOUT | POLLRDHUP);
	assert_int_equal(shim_read(fd[1], buf, 4), 0);
	assert_int_equal(shim_write(fd[0], "x", 1), -EPIPE);
	assert_int_equal(shim_sigpipes, 1);
	fd_close(fd[0]);
	assert_int_equal(shim_poll(fd[1]), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	assert_int_equal(t_send(fd[1], "x", 1, MSG_NOSIGNAL), -EPIPE);
}

static void packets(void **state)
{
	static const unsigned types[] = {SOCK_DGRAM, SOCK_SEQPACKET};

	for (int i = 0; i < 2; i++) {
		char buf[16];
		int fd[2];

		pair_of(types[i], fd);
		assert_int_equal(shim_write(fd[0], "abc", 3), 3);
		assert_int_equal(shim_write(fd[0], "", 0), 0);
		assert_int_equal(shim_write(fd[0], "defg", 4), 4);
		assert_int_equal(shim_read(fd[1], buf, 16), 3);
		assert_int_equal(t_recv(fd[1], buf, 16, 0), 0);
		assert_int_equal(t_recv(fd[1], buf, 2, MSG_TRUNC), 4);
		assert_int_equal(shim_read(fd[1], buf, 16), -EAGAIN);
		fd_close(fd[1]);
		assert_int_equal(
			t_send(fd[0], "x", 1, MSG_NOSIGNAL), i == 0 ? -ECONNREFUSED : -EPIPE);
	}
}

static void names(void **state)
{
	struct sockaddr_un a;
	union sockaddr_any got;
	int l = unix_socket(SOCK_STREAM), c = unix_socket(SOCK_STREAM), s, len = sizeof(got);
	unsigned n = unix_addr(&a, "\0service", 8);
	char b;

	assert_int_equal(CALL(listen, l, 1), -EINVAL);
	assert_int_equal(CALL(connect, c, &a, n), -ECONNREFUSED);
	assert_int_equal(CALL(bind, l, &a, n), 0);
	assert_int_equal(CALL(bind, l, &a, n), -EINVAL);
	assert_int_equal(CALL(bind, c, &a, n), -EADDRINUSE);
	assert_int_equal(CALL(connect, c, &a, n), -ECONNREFUSED); /* bound, not listening */
	assert_int_equal(CALL(listen, l, 1), 0);
	assert_int_equal(CALL(connect, unix_socket(SOCK_DGRAM), &a, n), -EPROTOTYPE);
	assert_int_equal(CALL(connect, c, &a, n), 0);
	assert_int_equal(CALL(connect, c, &a, n), -EISCONN);
	assert_int_equal(shim_poll(l), POLLIN);
	assert_int_equal(shim_write(c, "x", 1), 1); /* before accept */
	assert_int_equal(CALL(connect, unix_socket(SOCK_STREAM), &a, n), 0);
	assert_int_equal(CALL(connect, unix_socket(SOCK_STREAM), &a, n), -EAGAIN); /* backlog */
	s = t_accept(l);
	assert_true(s >= 0);
	assert_int_equal(shim_read(s, &b, 1), 1);
	assert_int_equal(CALL(getpeername, c, &got, &len), 0);
	assert_int_equal(len, n);
	assert_memory_equal(&got, &a, n);
	len = sizeof(got);
	assert_int_equal(CALL(getpeername, s, &got, &len), 0);
	assert_int_equal(len, 2);
	fd_close(l);
	assert_int_equal(shim_read(c, &b, 1), -EAGAIN); /* accepted ones live on */
	fd_close(s);
	assert_int_equal(shim_read(c, &b, 1), 0);
}

static void path_and_autobind(void **state)
{
	struct sockaddr_un a;
	union sockaddr_any got;
	int s = unix_socket(SOCK_DGRAM), c = unix_socket(SOCK_DGRAM), len = sizeof(got);
	unsigned n = unix_addr(&a, "/tmp/sock", 10);
	char b[4];

	assert_int_equal(CALL(connect, c, &a, n), -ENOENT);
	assert_int_equal(CALL(bind, s, &a, n), 0);
	assert_int_equal(CALL(getsockname, s, &got, &len), 0);
	assert_int_equal(len, 2 + 10);
	assert_int_equal(CALL(bind, c, &a, 2), 0); /* autobind */
	len = sizeof(got);
	assert_int_equal(CALL(getsockname, c, &got, &len), 0);
	assert_int_equal(len, 2 + 6);
	assert_int_equal(CALL(sendto, c, "q", 1, 0, &a, n), 1);
	len = sizeof(got);
	assert_int_equal(CALL(recvfrom, s, b, 4, 0, &got, &len), 1);
	assert_int_equal(len, 2 + 6);
	assert_int_equal(CALL(sendto, s, "a", 1, 0, &got, len), 1);
	assert_int_equal(shim_read(c, b, 4), 1);
	fd_close(s);
	assert_int_equal(CALL(sendto, c, "q", 1, 0, &a, n), -ECONNREFUSED);
	assert_int_equal(CALL(sendto, c, "q", 1, 0, &a, 1), -EINVAL);
}

/* A message of one byte with descriptors: bytes of control, or what sendmsg says. */
static long send_fds(int to, const int *fds, unsigned n)
{
	struct {
		struct cmsghdr h;
		int fd[300];
	} ctl = {{sizeof(struct cmsghdr) + n * sizeof(int), SOL_SOCKET, SCM_RIGHTS}, {0}};
	struct {
		const void *p;
		size_t n;
	} iov = {"f", 1};
	struct user_msghdr h = {.iov = (uint64_t)&iov,
		.iovlen = 1,
		.control = (uint64_t)&ctl,
		.controllen = ctl.h.len};

	memcpy(ctl.fd, fds, n * sizeof(int));
	return CALL(sendmsg, to, &h, 0);
}

static long recv_fds(int from, int *fds, unsigned room, unsigned *flags)
{
	struct {
		struct cmsghdr h;
		int fd[300];
	} ctl = {0};
	char buf[8];
	struct {
		void *p;
		size_t n;
	} iov = {buf, sizeof(buf)};
	struct user_msghdr h = {.iov = (uint64_t)&iov,
		.iovlen = 1,
		.control = (uint64_t)&ctl,
		.controllen = sizeof(ctl.h) + room * 4};
	long rc = CALL(recvmsg, from, &h, 0);

	*flags = h.flags;
	if (rc < 0 || h.controllen == 0)
		return rc < 0 ? rc : 0;
	memcpy(fds, ctl.fd, ctl.h.len - sizeof(ctl.h));
	return (long)(ctl.h.len - sizeof(ctl.h)) / 4;
}

static void descriptors(void **state)
{
	int fd[2], other[2], out[3], in[8];
	unsigned flags;
	char b;

	pair_of(SOCK_STREAM, fd);
	pair_of(SOCK_STREAM, other);
	out[0] = other[0];
	out[1] = 999;
	assert_int_equal(send_fds(fd[0], out, 2), -EBADF);
	out[1] = other[0];
	assert_int_equal(shim_write(fd[0], "before", 6), 6);
	assert_int_equal(send_fds(fd[0], out, 2), 1);
	assert_int_equal(shim_write(fd[0], "after", 5), 5);
	fd_close(other[0]);
	assert_int_equal(recv_fds(fd[1], in, 4, &flags),
		0); /* "before": reading stops where descriptors come */
	assert_int_equal(recv_fds(fd[1], in, 1, &flags), 1); /* room for one: the other is closed */
	assert_true(flags & MSG_CTRUNC);
	assert_int_equal(shim_write(in[0], "x", 1), 1);
	assert_int_equal(shim_read(other[1], &b, 1), 1);
	assert_int_equal(
		send_fds(fd[0], in, 1), 1); /* never received: given back when the queue goes */
	fd_close(in[0]);
	fd_close(fd[1]);
	assert_int_equal(shim_read(other[1], &b, 1), 0);
}

static void bad_control(void **state)
{
	struct cmsghdr h = {4, SOL_SOCKET, SCM_RIGHTS};
	struct user_msghdr m = {.control = (uint64_t)&h, .controllen = sizeof(h)};
	int fd[2];

	pair_of(SOCK_DGRAM, fd);
	assert_int_equal(CALL(sendmsg, fd[0], &m, 0), -EINVAL); /* shorter than its header */
	h.len = 1000;
	assert_int_equal(CALL(sendmsg, fd[0], &m, 0), -EINVAL); /* longer than the buffer */
	h = (struct cmsghdr){sizeof(h), SOL_SOCKET, 77};
	assert_int_equal(CALL(sendmsg, fd[0], &m, 0), -EINVAL);
	m.control = 16;
	assert_int_equal(CALL(sendmsg, fd[0], &m, 0), -EFAULT);
	m.controllen = 1 << 20;
	assert_int_equal(CALL(sendmsg, fd[0], &m, 0), -ENOBUFS);
}

static void families(void **state)
{
	assert_int_equal(CALL(socket, AF_INET6, SOCK_STREAM, IPPROTO_UDP), -EPROTONOSUPPORT);
	assert_int_equal(CALL(socket, 99, SOCK_STREAM, 0), -EAFNOSUPPORT);
	assert_int_equal(CALL(socket, AF_INET, 77, 0), -EINVAL);
	assert_int_equal(CALL(socket, AF_INET, SOCK_STREAM, IPPROTO_UDP), -EPROTONOSUPPORT);
	assert_int_equal(CALL(socket, AF_INET, SOCK_SEQPACKET, 0), -ESOCKTNOSUPPORT);
	assert_int_equal(CALL(socketpair, AF_INET, SOCK_STREAM, 0, 0), -EOPNOTSUPP);
	assert_int_equal(CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, 8), -EFAULT);
}

static void netlink(void **state)
{
	struct {
		struct nlmsghdr h;
		unsigned char family, pad[3];
	} req = {{20, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 7, 0}, AF_INET, {0}};
	char buf[4096];
	int fd = (int)CALL(socket, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, 0);
	unsigned addrs = 0, done = 0;

	assert_true(fd >= 0);
	assert_int_equal(shim_write(fd, &req, sizeof(req)), sizeof(req));
	long n = shim_read(fd, buf, sizeof(buf));
	assert_true(n > 0);
	for (long at = 0; at < n;) {
		struct nlmsghdr h;

		memcpy(&h, buf + at, sizeof(h));
		assert_int_equal(h.seq, 7);
		assert_true(h.len >= sizeof(h) && h.len <= n - at);
		addrs += h.type == RTM_NEWADDR;
		done += h.type == NLMSG_DONE;
		at += (h.len + 3) & ~3u;
	}
	assert_int_equal(addrs, 2);
	assert_int_equal(done, 1);
	req.h.type = RTM_NEWLINK; /* not allowed: an error message */
	assert_int_equal(shim_write(fd, &req, sizeof(req)), sizeof(req));
	assert_true(shim_read(fd, buf, sizeof(buf)) >= 36);
	req.h.len = 4; /* nonsense is passed over */
	assert_int_equal(shim_write(fd, &req, sizeof(req)), sizeof(req));
	assert_int_equal(shim_read(fd, buf, sizeof(buf)), -EAGAIN);
}

static void interfaces(void **state)
{
	struct ifreq r[4] = {0};
	struct ifconf conf = {sizeof(r), 0, (uint64_t)r};
	int fd = t_socket(SOCK_DGRAM);
	struct file *f = fd_file(fd);

	assert_int_equal(f->ops->ioctl(f, SIOCGIFCONF, (uint64_t)&conf), 0);
	assert_int_equal(conf.len, 2 * sizeof(r[0]));
	assert_string_equal(r[0].name, "lo");
	assert_string_equal(r[1].name, "eth0");
	assert_int_equal(r[1].addr.sin_addr.s_addr, WIRE_SELF);
	assert_int_equal(f->ops->ioctl(f, SIOCGIFHWADDR, (uint64_t)&r[1]), 0);
	assert_int_equal(r[1].hwaddr.data[5], 2);
	assert_int_equal(f->ops->ioctl(f, SIOCGIFMTU, (uint64_t)&r[1]), 0);
	assert_int_equal(r[1].value, 1500);
	memcpy(r[1].name, "eth7", 5);
	assert_int_equal(f->ops->ioctl(f, SIOCGIFMTU, (uint64_t)&r[1]), -ENODEV);
	assert_int_equal(f->ops->ioctl(f, 0x5401, 0), -ENOTTY); /* TCGETS: not a terminal */
	assert_int_equal(f->ops->ioctl(f, SIOCGIFCONF, 8), -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stream, setup, teardown),
		cmocka_unit_test_setup_teardown(packets, setup, teardown),
		cmocka_unit_test_setup_teardown(names, setup, teardown),
		cmocka_unit_test_setup_teardown(path_and_autobind, setup, teardown),
		cmocka_unit_test_setup_teardown(descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_control, setup, teardown),
		cmocka_unit_test_setup_teardown(families, setup, teardown),
		cmocka_unit_test_setup_teardown(netlink, setup, teardown),
		cmocka_unit_test_setup_teardown(interfaces, setup, teardown),
	};

	if (wire_start(0) < 0)
		return 1;
	shim_run(20 * SECOND);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
