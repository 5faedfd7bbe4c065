/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reqload: a load of equal requests with answers of known length, for bench/programs.
 *
 *   reqload ADDRESS PORT SECONDS CONNECTIONS DEPTH FIRST FIRST_BYTES REQUEST ANSWER_BYTES
 *
 * FIRST is sent once on a connection of its own, and FIRST_BYTES of answer are awaited. Then each of CONNECTIONS has DEPTH
 * requests on their way at any time: as many new ones follow in one piece as answers came. Prints "COUNT NANOSECONDS".
 */
#include "lib/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define CONNECTIONS_MAX 1024
#define DEPTH_MAX       256
#define EVENTS          64
#define BUFFER_BYTES    (256u << 10)

struct load {
	struct sockaddr_in address;
	const char *request;
	size_t request_bytes, answer_bytes;
	char *batch; /* DEPTH requests, owned */
	size_t depth;
};

static char buffer[BUFFER_BYTES];

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "reqload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static int dial(const struct load *l)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	check(fd >= 0 && !connect(fd, (const struct sockaddr *)&l->address, sizeof(l->address)),
		"cannot connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Sockets block: a batch is far smaller than what one may hold. */
static void send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		check(n > 0, "cannot send");
		data += n;
		len -= (size_t)n;
	}
}

static void send_requests(const struct load *l, int fd, size_t count)
{
	send_all(fd, l->batch, count * l->request_bytes);
}

static void ask_first(const struct load *l, const char *first, size_t answer)
{
	int fd = dial(l);

	send_all(fd, first, strlen(first));
	while (answer) {
		ssize_t n = read(fd, buffer, answer < sizeof(buffer) ? answer : sizeof(buffer));

		check(n > 0, "no answer to the first request");
		answer -= (size_t)n;
	}
	close(fd);
}

/* Takes what is there; the number of answers that became complete. bytes: of answers so far on this connection. */
static size_t receive(const struct load *l, int fd, uint64_t *bytes)
{
	ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	uint64_t before = *bytes / l->answer_bytes;

	if (n < 0 && errno == EAGAIN)
		return 0;
	check(n > 0, "the connection has ended");
	*bytes += (uint64_t)n;
	return (size_t)(*bytes / l->answer_bytes - before);
}

static uint64_t run(const struct load *l, size_t connections, int64_t until)
{
	static struct {
		int fd;
		uint64_t bytes;
	} c[CONNECTIONS_MAX];
	struct epoll_event event[EVENTS];
	int ep = epoll_create1(EPOLL_CLOEXEC);
	uint64_t count = 0;

	for (size_t i = 0; i < connections; i++) {
		struct epoll_event want = {.events = EPOLLIN, .data.u64 = i};

		c[i].fd = dial(l);
		check(!epoll_ctl(ep, EPOLL_CTL_ADD, c[i].fd, &want), "cannot poll");
		send_requests(l, c[i].fd, l->depth);
	}
	while (now_ns() < until) {
		int n = epoll_wait(ep, event, EVENTS, 1000);

		for (int i = 0; i < n; i++) {
			size_t at = event[i].data.u64, got = receive(l, c[at].fd, &c[at].bytes);

			count += got;
			send_requests(l, c[at].fd, got);
		}
	}
	return count;
}

static void make_batch(struct load *l)
{
	l->batch = malloc(l->depth * l->request_bytes);
	check(l->batch != NULL, "no memory");
	for (size_t i = 0; i < l->depth; i++)
		memcpy(l->batch + i * l->request_bytes, l->request, l->request_bytes);
}

int main(int argc, char **argv)
{
	struct load l = {.address.sin_family = AF_INET};
	size_t connections;
	uint64_t count;
	int64_t from;

	if (argc != 10)
		return 2;
	connections = strtoul(argv[4], NULL, 10);
	l.depth = strtoul(argv[5], NULL, 10);
	l.request = argv[8];
	l.request_bytes = strlen(l.request);
	l.answer_bytes = strtoul(argv[9], NULL, 10);
	l.address.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	errno = EINVAL;
	check(inet_pton(AF_INET, argv[1], &l.address.sin_addr) == 1, argv[1]);
	check(connections && connections <= CONNECTIONS_MAX && l.depth && l.depth <= DEPTH_MAX &&
			l.request_bytes && l.answer_bytes,
		"a number is out of range");
	make_batch(&l);
	ask_first(&l, argv[6], strtoul(argv[7], NULL, 10));
	from = now_ns();
	count = run(&l, connections, from + (int64_t)(strtod(argv[3], NULL) * NS_PER_S));
	errno = ETIMEDOUT;
	check(count > 0, "no complete answer");
	printf("%llu %lld\n", (unsigned long long)count, (long long)(now_ns() - from));
	free(l.batch);
	return 0;
}
