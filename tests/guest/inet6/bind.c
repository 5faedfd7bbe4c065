/* SPDX-License-Identifier: Apache-2.0 */
/* Who may have a port beside whom: IPv4 and IPv6 wildcards and addresses, IPV6_V6ONLY, SO_REUSEADDR; and who gets a connection then. */
#include "tests/guest/sock6.h"

struct place {
	const char *name, *address; /* NULL: 127.0.0.1 or 0.0.0.0 of AF_INET */
	int v6only;
	uint32_t v4;
};

static const struct place places[] = {
	{"0.0.0.0", NULL, 0, INADDR_ANY},
	{"127.0.0.1", NULL, 0, INADDR_LOOPBACK},
	{"::", "::", 0, 0},
	{"::(v6only)", "::", 1, 0},
	{"::1", "::1", 0, 0},
	{"::ffff:127.0.0.1", "::ffff:127.0.0.1", 0, 0},
};

static int take(int kind, const struct place *p, uint16_t port, int reuse)
{
	struct sockaddr_in four = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(p->v4)}};
	struct sockaddr_in6 six = at6(p->address ? p->address : "::", port);
	int fd = socket(p->address ? AF_INET6 : AF_INET, kind, 0), r;

	NEED(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse)) == 0);
	if (p->address)
		set_v6only(fd, p->v6only);
	r = p->address ? bind(fd, SA(&six), sizeof(six)) : bind(fd, SA(&four), sizeof(four));
	if (r == 0)
		return fd;
	r = errno;
	close(fd);
	return -r;
}

static void table(int kind, int reuse, int listening)
{
	say("-- %s, reuse %d, listening %d\n", kind == SOCK_STREAM ? "tcp" : "udp", reuse,
		listening);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		int a = take(kind, &places[i], 0, reuse);

		NEED(a >= 0 && (!listening || listen(a, 1) == 0));
		for (size_t j = 0; j < ARRAY_SIZE(places); j++) {
			int b = take(kind, &places[j], port_of(a), reuse);

			say("%s, %s: %s\n", places[i].name, places[j].name,
				b < 0 ? errname(-b) : "ok");
			if (b >= 0)
				close(b);
		}
		close(a);
	}
}

/* The wildcards of IPv4 and IPv6 side by side: each gets its own. */
static void wildcard_first(void)
{
	struct sockaddr_in6 six = at6("::1", 0);
	struct sockaddr_in four = loopback(0);
	int l4 = take(SOCK_STREAM, &places[0], 0, 0), l6, c;

	l6 = take(SOCK_STREAM, &places[3], port_of(l4), 0);
	NEED(l6 >= 0 && listen(l4, 4) == 0 && listen(l6, 4) == 0);
	six.sin6_port = four.sin_port = htons(port_of(l4));
	c = socket(AF_INET6, SOCK_STREAM, 0);
	SHOW(connect(c, SA(&six), sizeof(six)));
	ASK(wait_for(l6, POLLIN) == POLLIN);
	c = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(connect(c, SA(&four), sizeof(four)));
	ASK(wait_for(l4, POLLIN) == POLLIN);
}

int main(void)
{
	table(SOCK_STREAM, 0, 0);
	table(SOCK_STREAM, 1, 0);
	table(SOCK_STREAM, 1, 1);
	table(SOCK_DGRAM, 0, 0);
	wildcard_first();
	return 0;
}
