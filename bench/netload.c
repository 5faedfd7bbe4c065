/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netload: both ends of a plain TCP load, for bench/programs. The server is the program that is measured: the same static
 * binary as a unikernel and as a process.
 *
 *   serve                                7001 swallows, 7002 sends without end, 7003 answers each byte with itself
 *   send ADDRESS SECONDS                 to 7001, until the server has taken the last byte
 *   receive ADDRESS SECONDS              from 7002
 *   echo ADDRESS SECONDS CONNECTIONS     requests of 64 bytes to 7003, one at a time on each connection
 *
 * A client prints "COUNT NANOSECONDS": bytes, or answers.
 */
#include "lib/err.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
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

static struct sockaddr_in address(const char *ip, enum role role)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)(PORT_FIRST + (int)role))};

	check(inet_pton(AF_INET, ip, &a.sin_addr) == 1, ip);
	return a;
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

static void listen_as(int epoll, enum role role)
{
	struct sockaddr_in a = address("0.0.0.0", role);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	check(fd >= 0, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	check(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "bind");
	check(listen(fd, CONNECTIONS_MAX) == 0, "listen");
	watch(epoll, role, true, fd);
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

static _Noreturn void serve(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	check(epoll >= 0, "epoll_create1");
	for (enum role role = SINK; role < ROLES; role++)
		listen_as(epoll, role);
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

static int dial(const char *ip, enum role role)
{
	struct sockaddr_in a = address(ip, role);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	check(fd >= 0, "socket");
	check(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "connect");
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

	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		serve();
	if (argc == 4 && strcmp(argv[1], "send") == 0)
		return client_bulk(argv[2], limit, SINK);
	if (argc == 4 && strcmp(argv[1], "receive") == 0)
		return client_bulk(argv[2], limit, SOURCE);
	if (argc == 5 && strcmp(argv[1], "echo") == 0)
		return client_echo(argv[2], limit, atoi(argv[4]));
	fputs("usage: netload serve | send|receive ADDRESS SECONDS | echo ADDRESS SECONDS "
	      "CONNECTIONS\n",
		stderr);
	return 2;
}
