/* SPDX-License-Identifier: Apache-2.0 */
/* What AF_INET6 sockets refuse: addresses that are too short, of other families, not here, without a route, without a scope. */
#include "tests/guest/sock6.h"

static void try_bind(int kind, const char *text, socklen_t len, uint32_t scope, int v6only)
{
	struct sockaddr_in6 a = at6(text, 0);
	int fd = socket(AF_INET6, kind, 0), r;

	set_v6only(fd, v6only);
	a.sin6_scope_id = scope;
	r = bind(fd, SA(&a), len);
	say("bind %s %s, len %u, scope %u, v6only %d = %s, v6only now %d\n",
		kind == SOCK_STREAM ? "tcp" : "udp", text, len, scope, v6only,
		errname(r < 0 ? errno : 0), option6(fd, IPV6_V6ONLY));
	close(fd);
}

static void try_connect(int kind, const char *from, const char *text, socklen_t len, int v6only)
{
	struct sockaddr_in6 a = at6(text, 9), f = at6(from ? from : "::", 0);
	int fd = socket(AF_INET6, kind, 0), r;

	set_v6only(fd, v6only);
	if (from)
		NEED(bind(fd, SA(&f), sizeof(f)) == 0);
	r = connect(fd, SA(&a), len);
	say("%s from %s connect %s, len %u, v6only %d = %s\n", kind == SOCK_STREAM ? "tcp" : "udp",
		from ? from : "-", text, len, v6only, errname(r < 0 ? errno : 0));
	close(fd);
}

static void try_send(const char *from, const char *text, socklen_t len, int v6only)
{
	struct sockaddr_in6 a = at6(text, 9), f = at6(from ? from : "::", 0);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	ssize_t r;

	set_v6only(fd, v6only);
	if (from)
		NEED(bind(fd, SA(&f), sizeof(f)) == 0);
	r = sendto(fd, "x", 1, 0, SA(&a), len);
	say("udp from %s send to %s, len %u, v6only %d = %s\n", from ? from : "-", text, len,
		v6only, r < 0 ? errname(errno) : "ok");
	close(fd);
}

static void families(void)
{
	struct sockaddr_in four = loopback(9);
	struct sockaddr_in6 six = at6("::1", 9);
	int t = socket(AF_INET6, SOCK_STREAM, 0), u = socket(AF_INET6, SOCK_DGRAM, 0);
	int t4 = socket(AF_INET, SOCK_STREAM, 0), u4 = socket(AF_INET, SOCK_DGRAM, 0), one = 1;

	SHOW(bind(t, SA(&four), sizeof(four)));
	SHOW(bind(u, SA(&four), sizeof(four)));
	SHOW(bind(t4, SA(&six), sizeof(six)));
	SHOW(connect(t, SA(&four), sizeof(four)));
	SHOW(connect(t4, SA(&six), sizeof(six)));
	SHOW(sendto(u4, "x", 1, 0, SA(&six), sizeof(six)));
	SHOW(sendto(u, "x", 1, 0, SA(&four), sizeof(four)));
	SHOW(connect(u, SA(&four), sizeof(four)));
	say_names6(u);
	six.sin6_family = 77;
	SHOW(sendto(u, "x", 1, 0, SA(&six), sizeof(six)));
	SHOW(bind(t, SA(&six), sizeof(six)));
	six = at6("::1", 0);
	SHOW(sendto(u, "x", 1, 0, SA(&six), sizeof(six)));
	SHOW(bind(t, BAD_PTR, sizeof(six)));
	SHOW(setsockopt(t4, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)));
	SHOW(socket(AF_INET6, SOCK_SEQPACKET, 0));
	SHOW(socket(AF_INET6, SOCK_STREAM, IPPROTO_UDP));
	SHOW(socket(AF_INET6, SOCK_DGRAM, IPPROTO_TCP));
	SHOW(socketpair(AF_INET6, SOCK_STREAM, 0, (int[2]){0}));
}

int main(void)
{
	const socklen_t full = sizeof(struct sockaddr_in6);

	try_bind(SOCK_STREAM, "::1", full, 0, 0);
	try_bind(SOCK_STREAM, "::1", 24, 0, 0);
	try_bind(SOCK_STREAM, "::1", 23, 0, 0);
	try_bind(SOCK_DGRAM, "::1", 16, 0, 0);
	try_bind(SOCK_STREAM, "2001:db8::1", full, 0, 0);
	try_bind(SOCK_DGRAM, "2001:db8::1", full, 0, 1);
	try_bind(SOCK_STREAM, "fe80::1", full, 0, 0);
	try_bind(SOCK_STREAM, "fe80::1", full, 1, 0);
	try_bind(SOCK_STREAM, "fe80::1", full, 99, 0);
	try_bind(SOCK_STREAM, "ff02::1", full, 1, 0);
	try_bind(SOCK_DGRAM, "ff02::1", full, 1, 0);
	try_bind(SOCK_DGRAM, "ff02::1", full, 0, 0);
	try_bind(SOCK_DGRAM, "ff05::1234", full, 0, 0);
	try_bind(SOCK_STREAM, "::ffff:127.0.0.1", full, 0, 1);
	try_bind(SOCK_STREAM, "::ffff:192.0.2.1", full, 0, 0);
	try_connect(SOCK_STREAM, NULL, "2001:db8::1", full, 0);
	try_connect(SOCK_STREAM, NULL, "::1", 20, 0);
	try_connect(SOCK_STREAM, NULL, "fe80::1", full, 0);
	try_connect(SOCK_STREAM, NULL, "ff05::1", full, 0);
	try_connect(SOCK_STREAM, NULL, "::ffff:127.0.0.1", full, 1);
	try_connect(SOCK_STREAM, "::1", "::ffff:127.0.0.1", full, 0);
	try_connect(SOCK_STREAM, "::ffff:127.0.0.1", "::1", full, 0);
	try_connect(SOCK_DGRAM, NULL, "2001:db8::1", full, 0);
	try_connect(SOCK_DGRAM, NULL, "::1", 20, 0);
	try_connect(SOCK_DGRAM, NULL, "fe80::1", full, 0);
	try_connect(SOCK_DGRAM, NULL, "::ffff:127.0.0.1", full, 1);
	try_connect(SOCK_DGRAM, "::ffff:127.0.0.1", "::1", full, 0);
	try_send(NULL, "2001:db8::1", full, 0);
	try_send(NULL, "::1", 20, 0);
	try_send(NULL, "::ffff:127.0.0.1", full, 1);
	try_send("::1", "::ffff:127.0.0.1", full, 0);
	try_send("::ffff:127.0.0.1", "::1", full, 0);
	families();
	return 0;
}
