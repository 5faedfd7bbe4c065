/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netload: both ends of a plain load of streams, for bench/programs. The server is the program that is measured: the same static
 * binary as a unikernel and as a process.
 *
 *   serve [PREFIX]                       7001 swallows, 7002 sends without end, 7003 answers each byte with itself: TCP, AF_VSOCK
 *                                        where there is one, and with PREFIX Unix sockets PREFIX_7001 and so on
 *   send ADDRESS SECONDS                 to 7001, until the server has taken the last byte
 *   receive ADDRESS SECONDS              from 7002
 *   echo ADDRESS SECONDS CONNECTIONS     requests of 64 bytes to 7003, one at a time on each connection
 *
 * ADDRESS: an IPv4 address; unix:PREFIX; vsock:PATH, the monitor's socket of an instance ("CONNECT PORT", README.md).
 * A client prints "COUNT NANOSECONDS": bytes, or answers.
 */
#include "lib/err.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PORT_FIRST      7001
#define BUFFER_BYTES    (256u << 10)
#define REQUEST_BYTES   64u
#define CONNECTIONS_MAX 256
#define EVENTS          64

enum role { SINK, SOURCE, ECHO, ROLES };

static char buffer[BUFFER_BYTES];

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "netload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* ---- addresses */

struct place {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_vm vm;
		struct sockaddr_un un;
	};
	socklen_t len;
};

static unsigned port_of(enum role role)
{
	return PORT_FIRST + (unsigned)role;
}

static struct place in_place(const char *ip, enum role role)
{
	struct place p = {.in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port_of(role))},
		.len = sizeof(p.in)};

	check(inet_pton(AF_INET, ip, &p.in.sin_addr) == 1, ip);
	return p;
}

static struct place vm_place(enum role role)
{
	return (struct place){.vm = {.svm_family = AF_VSOCK,
				      .svm_cid = VMADDR_CID_ANY,
				      .svm_port = port_of(role)},
		.len = sizeof(struct sockaddr_vm)};
}

/* PATH, or PREFIX_PORT. */
static struct place un_place(const char *prefix, const char *suffix)
{
	struct place p = {.un = {.sun_family = AF_UNIX}, .len = sizeof(p.un)};
	int n = snprintf(p.un.sun_path, sizeof(p.un.sun_path), "%s%s", prefix, suffix);

	errno = ENAMETOOLONG;
	check(n > 0 && (size_t)n < sizeof(p.un.sun_path), prefix);
	return p;
}

static struct place un_port(const char *prefix, enum role role)
{
	char suffix[16];

	snprintf(suffix, sizeof(suffix), "_%u", port_of(role));
	return un_place(prefix, suffix);
}

/* ---- server: what epoll remembers of a descriptor is its role and itself */

static uint64_t tag(enum role role, bool listener, int fd)
{
	return (uint64_t)role << 33 | (uint64_t)listener << 32 | (uint32_t)fd;
}

static void watch(int epoll, enum role role, bool listener, int fd)
{
	struct epoll_event ev = {
		.events = role == SOURCE && !listener ? EPOLLOUT : EPOLLIN,
		.data.u64 = tag(role, listener, fd),
	};

	check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) == 0, "epoll_ctl");
}

/* False: the address can not be had. */
static bool listen_at(int epoll, enum role role, const struct place *p)
{
	int fd = socket(p->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &p->any, p->len) < 0 || listen(fd, CONNECTIONS_MAX) < 0) {
		close(fd);
		return false;
	}
	watch(epoll, role, true, fd);
	return true;
}

static void listen_as(int epoll, enum role role, const char *prefix)
{
	struct place in = in_place("0.0.0.0", role), vm = vm_place(role), un;

	check(listen_at(epoll, role, &in), "listen");
	listen_at(epoll, role, &vm);
	if (!prefix)
		return;
	un = un_port(prefix, role);
	check(listen_at(epoll, role, &un), prefix);
}

static void welcome(int epoll, enum role role, int listener)
{
	int on = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	watch(epoll, role, false, fd);
}

/* One step of a connection; false: it is over. */
static bool step(enum role role, int fd)
{
	ssize_t n = role == SOURCE ? send(fd, buffer, sizeof(buffer), MSG_NOSIGNAL)
				   : recv(fd, buffer, sizeof(buffer), 0);

	if (n > 0 && role == ECHO)
		n = send(fd, buffer, (size_t)n, MSG_NOSIGNAL);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static _Noreturn void serve(const char *prefix)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	check(epoll >= 0, "epoll_create1");
	for (enum role role = SINK; role < ROLES; role++)
		listen_as(epoll, role, prefix);
	for (;;) {
		struct epoll_event ev[EVENTS];
		int n = epoll_wait(epoll, ev, EVENTS, -1);

		check(n >= 0 || errno == EINTR, "epoll_wait");
		for (int i = 0; i < n; i++) {
			enum role role = (enum role)(ev[i].data.u64 >> 33);
			int fd = (int)(uint32_t)ev[i].data.u64;

			if (ev[i].data.u64 >> 32 & 1)
				welcome(epoll, role, fd);
			else if (!step(role, fd))
				close(fd);
		}
	}
}

/* ---- clients */

static const char *behind(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

/* The monitor connects to the port and says so in a line. */
static void ask_for(int fd, enum role role)
{
	char line[64] = "";

	dprintf(fd, "CONNECT %u\n", port_of(role));
	for (size_t n = 0; n + 1 < sizeof(line) && !strchr(line, '\n'); n++)
		check(read(fd, line + n, 1) == 1, "no answer of the monitor");
	check(behind(line, "OK ") != NULL, line);
}

static int dial(const char *to, enum role role)
{
	const char *path = behind(to, "vsock:"), *prefix = behind(to, "unix:");
	struct place p = path ? un_place(path, "")
		: prefix      ? un_port(prefix, role)
			      : in_place(to, role);
	int on = 1, fd = socket(p.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	check(fd >= 0, "socket");
	check(connect(fd, &p.any, p.len) == 0, "connect");
	if (path)
		ask_for(fd, role);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void report(uint64_t count, int64_t from)
{
	printf("%llu %lld\n", (unsigned long long)count, (long long)(now_ns() - from));
}

static int client_bulk(const char *ip, int64_t limit_ns, enum role role)
{
	int fd = dial(ip, role);
	int64_t from = now_ns();
	uint64_t bytes = 0;
	ssize_t n = 0;

	while (now_ns() - from < limit_ns) {
		n = role == SINK ? send(fd, buffer, sizeof(buffer), MSG_NOSIGNAL)
				 : recv(fd, buffer, sizeof(buffer), 0);
		check(n > 0, "transfer");
		bytes += (uint64_t)n;
	}
	if (role == SINK) { /* the server closes when it has read all */
		shutdown(fd, SHUT_WR);
		check(recv(fd, buffer, sizeof(buffer), 0) == 0, "end of the transfer");
	}
	report(bytes, from);
	close(fd);
	return 0;
}

static int client_echo(const char *ip, int64_t limit_ns, int connections)
{
	static unsigned missing[CONNECTIONS_MAX]; /* bytes of the answer */
	int fd[CONNECTIONS_MAX], epoll = epoll_create1(EPOLL_CLOEXEC);
	uint64_t answers = 0;
	int64_t from;

	check(connections > 0 && connections <= CONNECTIONS_MAX, "connections");
	for (int i = 0; i < connections; i++) {
		struct epoll_event ev = {.events = EPOLLIN, .data.u32 = (uint32_t)i};

		fd[i] = dial(ip, ECHO);
		check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd[i], &ev) == 0, "epoll_ctl");
	}
	from = now_ns();
	for (int i = 0; i < connections; i++) {
		missing[i] = REQUEST_BYTES;
		check(send(fd[i], buffer, REQUEST_BYTES, MSG_NOSIGNAL) == REQUEST_BYTES, "send");
	}
	while (now_ns() - from < limit_ns) {
		struct epoll_event ev[EVENTS];
		int n = epoll_wait(epoll, ev, EVENTS, 10000);

		check(n > 0, "no answer");
		for (int k = 0; k < n; k++) {
			uint32_t i = ev[k].data.u32;
			ssize_t got = recv(fd[i], buffer, missing[i], 0);

			check(got > 0, "recv");
			missing[i] -= (unsigned)got;
			if (missing[i] > 0)
				continue;
			answers++;
			missing[i] = REQUEST_BYTES;
			check(send(fd[i], buffer, REQUEST_BYTES, MSG_NOSIGNAL) == REQUEST_BYTES,
				"send");
		}
	}
	report(answers, from);
	return 0;
}

int main(int argc, char **argv)
{
	int64_t limit = argc > 3 ? (int64_t)(strtod(argv[3], NULL) * (double)NS_PER_S) : 0;

	if (argc >= 2 && argc <= 3 && strcmp(argv[1], "serve") == 0)
		serve(argv[2]);
	if (argc == 4 && strcmp(argv[1], "send") == 0)
		return client_bulk(argv[2], limit, SINK);
	if (argc == 4 && strcmp(argv[1], "receive") == 0)
		return client_bulk(argv[2], limit, SOURCE);
	if (argc == 5 && strcmp(argv[1], "echo") == 0)
		return client_echo(argv[2], limit, atoi(argv[4]));
	fputs("usage: netload serve [PREFIX] | send|receive ADDRESS SECONDS | echo ADDRESS SECONDS "
	      "CONNECTIONS\n",
		stderr);
	return 2;
}
