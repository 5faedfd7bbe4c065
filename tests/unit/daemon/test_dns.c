/* SPDX-License-Identifier: Apache-2.0 */
/* The server on 127.0.0.1: datagrams, connections, limits. The client waits by turning the loop, never by the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/network/dns.h"
#include "lib/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define QUERY                                                                                      \
	"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02"                                     \
	"db\x00\x00\x01\x00\x01"
#define QUERY_BYTES  (sizeof(QUERY) - 1)
#define RECORD_BYTES 16

struct setup {
	struct loop *loop;
	struct dns *dns;
	struct sockaddr_in udp, tcp;
	unsigned addresses;
};

static int lookup(void *arg, uint32_t ip, const char *name, struct dns_set *set)
{
	const struct setup *s = arg;

	/* who asks: each client of these tests is 127.0.N.1 */
	assert_int_equal(ip & 0xffff00ff, INADDR_LOOPBACK);
	if (strcmp(name, "db") != 0)
		return DNS_NXDOMAIN;
	for (unsigned i = 0; i < s->addresses; i++)
		set->ip[set->count++] = 0x0a000000 + i;
	return DNS_NOERROR;
}

static int bound(int type, struct sockaddr_in *at)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*at);

	*at = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 128), 0);
	return fd;
}

static int setup(void **state)
{
	struct setup *s = calloc(1, sizeof(*s));
	struct dns_config config = {
		.subnet = {.base = 0x7f000000, .prefix = 16}, .lookup = lookup, .arg = s};

	s->addresses = 2;
	assert_int_equal(loop_new(&s->loop), 0);
	config.loop = s->loop;
	config.udp = bound(SOCK_DGRAM, &s->udp);
	config.tcp = bound(SOCK_STREAM, &s->tcp);
	assert_int_equal(dns_new(&config, &s->dns), 0);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct setup *s = *state;

	dns_free(s->dns);
	loop_free(s->loop);
	free(s);
	return 0;
}

/* from: the last byte of 127.0.x.1; 0: 127.0.0.1 */
static int client(int type, const struct sockaddr_in *to, unsigned from)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK | from << 8)};
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

/* Until something, or the end, can be read. */
static ssize_t await(struct setup *s, int fd, void *data, size_t size)
{
	ssize_t n;

	while ((n = recv(fd, data, size, 0)) < 0 && errno == EAGAIN)
		assert_int_equal(loop_once(s->loop, 10), 0);
	return n;
}

static void send_all(struct setup *s, int fd, const void *data, size_t len)
{
	while (send(fd, data, len, MSG_NOSIGNAL) != (ssize_t)len) {
		assert_true(errno == EAGAIN || errno == ENOTCONN);
		assert_int_equal(loop_once(s->loop, 10), 0);
	}
}

static void test_udp(void **state)
{
	struct setup *s = *state;
	int fd = client(SOCK_DGRAM, &s->udp, 0);
	uint8_t one[600], two[600];

	send_all(s, fd, QUERY, QUERY_BYTES);
	assert_int_equal(await(s, fd, one, sizeof(one)), QUERY_BYTES + 2 * RECORD_BYTES);
	send_all(s, fd, QUERY, QUERY_BYTES);
	assert_int_equal(await(s, fd, two, sizeof(two)), QUERY_BYTES + 2 * RECORD_BYTES);
	/* in turn */
	assert_memory_equal(one + QUERY_BYTES, two + QUERY_BYTES + RECORD_BYTES, RECORD_BYTES);
	assert_memory_equal(two + QUERY_BYTES, one + QUERY_BYTES + RECORD_BYTES, RECORD_BYTES);
	assert_int_equal(dns_counters(s->dns)->queries, 2);
	close(fd);
}

static void test_not_answered(void **state)
{
	struct setup *s = *state;
	int fd = client(SOCK_DGRAM, &s->udp, 0);
	uint8_t data[600];

	send_all(s, fd, "short", 5);
	send_all(s, fd, "\x12\x34\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00", 12); /* an answer */
	send_all(s, fd, QUERY, QUERY_BYTES);
	assert_true(await(s, fd, data, sizeof(data)) > 0);
	assert_int_equal(data[0], 0x12);
	assert_int_equal(dns_counters(s->dns)->dropped, 2);
	assert_int_equal(dns_counters(s->dns)->queries, 1);
	close(fd);
}

static void drain(struct setup *s)
{
	const struct dns_counters *c = dns_counters(s->dns);
	uint64_t before;

	do {
		before = c->queries + c->dropped;
		assert_int_equal(loop_once(s->loop, 0), 0);
	} while (c->queries + c->dropped != before);
}

static void test_rate(void **state)
{
	struct setup *s = *state;
	int fd = client(SOCK_DGRAM, &s->udp, 0), other = client(SOCK_DGRAM, &s->udp, 1);
	uint8_t data[600];

	/* Faster than the bucket fills, however slow this machine is: the loop takes 16 in a turn, of which a token is 2 ms. */
	for (unsigned i = 0; i < 100 * DNS_BURST && !dns_counters(s->dns)->dropped; i++) {
		send_all(s, fd, QUERY, QUERY_BYTES);
		if (i % 64 == 63)
			assert_int_equal(loop_once(s->loop, 0), 0);
	}
	assert_true(dns_counters(s->dns)->dropped > 0);
	assert_true(dns_counters(s->dns)->queries >= DNS_BURST);
	drain(s);                               /* or the socket has no room for what follows */
	send_all(s, other, QUERY, QUERY_BYTES); /* its neighbour is served */
	assert_int_equal(await(s, other, data, sizeof(data)), QUERY_BYTES + 2 * RECORD_BYTES);
	close(fd);
	close(other);
}

static void test_tcp(void **state)
{
	static const char frame[] = "\x00\x14" QUERY;
	struct setup *s = *state;
	int fd = client(SOCK_STREAM, &s->tcp, 0);
	size_t want = 2 + QUERY_BYTES + DNS_ADDRESSES_MAX * RECORD_BYTES, got = 0;
	uint8_t *data = malloc(2 * want);

	s->addresses = DNS_ADDRESSES_MAX;
	for (size_t i = 0; i < sizeof(frame) - 1; i++) { /* in the smallest pieces */
		send_all(s, fd, frame + i, 1);
		assert_int_equal(loop_once(s->loop, 0), 0);
	}
	send_all(s, fd, frame, sizeof(frame) - 1); /* and a second before the answer was read */
	while (got < 2 * want) {
		ssize_t n = await(s, fd, data + got, 2 * want - got);

		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_int_equal(data[0] << 8 | data[1], want - 2);
	assert_int_equal(data[want] << 8 | data[want + 1], want - 2);
	assert_int_equal(data[2 + 6] << 8 | data[2 + 7], DNS_ADDRESSES_MAX);
	assert_int_equal(dns_counters(s->dns)->tcp_queries, 2);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(await(s, fd, data, 1), 0);
	free(data);
	close(fd);
}

static void test_tcp_bad(void **state)
{
	static const char *const bad[] = {"\x00\x0b", "\x00\x00", "\xff\xff", "\x04\xd1"};
	struct setup *s = *state;
	uint8_t data[8];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int fd = client(SOCK_STREAM, &s->tcp, 0);

		send_all(s, fd, bad[i], 2);
		assert_true(await(s, fd, data, sizeof(data)) <= 0);
		close(fd);
	}
}

static void test_tcp_many(void **state)
{
	struct setup *s = *state;
	int fd[DNS_CONNECTIONS_EACH + 1], one;
	uint8_t data[8];

	for (unsigned i = 0; i < ARRAY_SIZE(fd); i++)
		fd[i] = client(SOCK_STREAM, &s->tcp, 0);
	while (!dns_counters(s->dns)->connections_dropped)
		assert_int_equal(loop_once(s->loop, 10), 0);
	for (one = 0; (size_t)one < ARRAY_SIZE(fd); one++) { /* exactly one was not taken */
		if (recv(fd[one], data, sizeof(data), 0) == 0)
			break;
		assert_int_equal(errno, EAGAIN);
	}
	assert_true((size_t)one < ARRAY_SIZE(fd));
	assert_int_equal(dns_counters(s->dns)->connections_dropped, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
}

static void test_foreign(void **state)
{
	struct setup *s = *state;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&s->udp, sizeof(s->udp)), 0);
	send_all(s, fd, QUERY, QUERY_BYTES);
	while (!dns_counters(s->dns)->dropped)
		assert_int_equal(loop_once(s->loop, 10), 0);
	assert_int_equal(dns_counters(s->dns)->queries, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_udp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
