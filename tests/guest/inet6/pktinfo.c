/* SPDX-License-Identifier: Apache-2.0 */
/* Control messages of datagrams: where they were sent to, hop limits and traffic classes, of IPv6 and IPv4; and the same given to sendmsg. */
#include "tests/guest/sock6.h"

static void show(const struct cmsghdr *c)
{
	char text[INET6_ADDRSTRLEN], dev[IF_NAMESIZE] = "";
	struct in6_pktinfo six;
	struct in_pktinfo four;
	int value = 0;

	if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		memcpy(&six, CMSG_DATA(c), sizeof(six));
		say("  pktinfo6 %s %s\n", inet_ntop(AF_INET6, &six.ipi6_addr, text, sizeof(text)),
			if_indextoname(six.ipi6_ifindex, dev) ? dev : "-");
	} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		memcpy(&four, CMSG_DATA(c), sizeof(four));
		say("  pktinfo4 %s %s\n", inet_ntop(AF_INET, &four.ipi_addr, text, sizeof(text)),
			if_indextoname((unsigned)four.ipi_ifindex, dev) ? dev : "-");
	} else {
		memcpy(&value, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
		say("  level %d type %d len %zu value %d\n", c->cmsg_level, c->cmsg_type,
			(size_t)c->cmsg_len, value);
	}
}

static void receive(int fd, size_t room)
{
	char data[16], control[256];
	struct iovec iov = {data, sizeof(data)};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
	ssize_t n = recvmsg(fd, &m, 0);

	say(" recvmsg %zd, flags %x, control %zu\n", n, (unsigned)m.msg_flags,
		(size_t)m.msg_controllen);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c && room == sizeof(control);
		c = CMSG_NXTHDR(&m, c))
		show(c);
}

static void on(int fd, int level, int option)
{
	NEED(setsockopt(fd, level, option, &(int){1}, sizeof(int)) == 0);
}

static void send_with(
	int fd, const struct sockaddr_in6 *to, int level, int type, const void *value, size_t len)
{
	union {
		char bytes[64];
		struct cmsghdr head;
	} control;
	char data[] = "data";
	struct iovec iov = {data, 4};
	struct sockaddr_in6 a = *to;
	struct msghdr m = {.msg_name = &a,
		.msg_namelen = sizeof(a),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(len)};
	ssize_t n;

	memset(&control, 0, sizeof(control));
	control.head =
		(struct cmsghdr){.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
	memcpy(CMSG_DATA(&control.head), value, len);
	n = sendmsg(fd, &m, 0);
	say("sendmsg level %d type %d len %zu = %zd %s\n", level, type, len, n,
		n < 0 ? errname(errno) : "");
}

static void sending(int s, int c)
{
	struct sockaddr_in6 to = at6("::1", port_of(s));
	struct in6_pktinfo info = {.ipi6_addr = to.sin6_addr, .ipi6_ifindex = 1};
	int value = 9;

	send_with(c, &to, IPPROTO_IPV6, IPV6_HOPLIMIT, &value, sizeof(value));
	receive(s, 256);
	value = 0x20;
	send_with(c, &to, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof(value));
	receive(s, 256);
	send_with(c, &to, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	receive(s, 256);
	NEED(inet_pton(AF_INET6, "2001:db8::7", &info.ipi6_addr) == 1);
	send_with(c, &to, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	send_with(c, &to, IPPROTO_IPV6, IPV6_PKTINFO, &info, 8);
	value = 256;
	send_with(c, &to, IPPROTO_IPV6, IPV6_HOPLIMIT, &value, sizeof(value));
	send_with(c, &to, IPPROTO_IPV6, IPV6_TCLASS, &value, 1);
	send_with(c, &to, IPPROTO_IPV6, 999, &value, sizeof(value));
}

int main(void)
{
	int s = bound6(SOCK_DGRAM, "::", 0), c = socket(AF_INET6, SOCK_DGRAM, 0);
	int c4 = socket(AF_INET, SOCK_DGRAM, 0), hops = 33, class = 0x48;
	struct sockaddr_in6 to = at6("::1", port_of(s));
	struct sockaddr_in four = loopback(port_of(s));

	NEED(sendto(c, "none", 4, 0, SA(&to), sizeof(to)) == 4);
	receive(s, 256);
	on(s, IPPROTO_IPV6, IPV6_RECVPKTINFO);
	on(s, IPPROTO_IPV6, IPV6_RECVHOPLIMIT);
	on(s, IPPROTO_IPV6, IPV6_RECVTCLASS);
	NEED(sendto(c, "all", 3, 0, SA(&to), sizeof(to)) == 3);
	receive(s, 256);
	NEED(setsockopt(c, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops)) == 0);
	NEED(setsockopt(c, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof(class)) == 0);
	NEED(sendto(c, "set", 3, 0, SA(&to), sizeof(to)) == 3);
	receive(s, 256);
	NEED(sendto(c4, "four", 4, 0, SA(&four), sizeof(four)) == 4);
	receive(s, 256);
	on(s, IPPROTO_IP, IP_PKTINFO);
	on(s, IPPROTO_IP, IP_RECVTTL);
	on(s, IPPROTO_IP, IP_RECVTOS);
	NEED(sendto(c4, "four", 4, 0, SA(&four), sizeof(four)) == 4);
	receive(s, 256);
	for (size_t room = 0; room <= 48; room += 8) {
		NEED(sendto(c, "short", 5, 0, SA(&to), sizeof(to)) == 5);
		receive(s, room);
	}
	sending(s, c);
	return 0;
}
