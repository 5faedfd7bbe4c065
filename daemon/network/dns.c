/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TCP connection reads one question after the other and does not read on while an answer is not all sent. The rate is kept
 * in one bucket per address of the subnet, modulo BUCKETS: two instances may share one, which only halves their share.
 */
#include "daemon/network/dns.h"

#include "lib/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define BATCH          16 /* questions for one turn of the loop */
#define BUCKETS        1024
#define TOKEN_NS       (NS_PER_S / DNS_RATE)
#define TCP_PREFIX     2
#define ACCEPT_REST_NS (100 * NS_PER_MS) /* without descriptors for a connection */

struct conn {
	struct dns *dns;
	int fd;
	uint32_t ip;
	struct loop_io *io;
	struct loop_timer *timer;
	uint8_t in[TCP_PREFIX + DNS_QUERY_MAX];
	size_t in_len;
	uint8_t *out; /* being sent; NULL: nothing */
	size_t out_len, out_at;
	struct conn *prev, *next;
};

struct dns {
	struct dns_config config;
	struct loop_io *udp_io, *tcp_io;
	struct loop_timer *rest; /* armed: nothing is accepted until then */
	struct conn *conns;
	unsigned conn_count;
	unsigned turn; /* with which address of several an answer begins */
	int64_t empty_ns
		[BUCKETS]; /* when the bucket of DNS_BURST tokens would be full: how far it lies ahead is what was taken */
	struct dns_counters counters;
	struct dns_set set;                             /* of the question at hand */
	uint8_t answer[TCP_PREFIX + DNS_TCP_MAX_BYTES]; /* to it */
};

static bool is_ours(const struct dns *d, uint32_t ip)
{
	return subnet_overlaps(&d->config.subnet, ip, 32);
}

/* Takes a token of the address. */
static bool within_rate(struct dns *d, uint32_t ip)
{
	int64_t now = loop_now_ns(), *full = &d->empty_ns[ip % BUCKETS];

	if (*full < now)
		*full = now;
	if (*full - now > (int64_t)(DNS_BURST - 1) * TOKEN_NS)
		return false;
	*full += TOKEN_NS;
	return true;
}

static void count(struct dns_counters *c, int rcode)
{
	c->queries++;
	switch (rcode) {
	case DNS_NOERROR:
		break;
	case DNS_NXDOMAIN:
		c->nxdomain++;
		break;
	case DNS_REFUSED:
		c->refused++;
		break;
	default:
		c->failed++;
	}
}

/* The answer to a question from ip, in at most max bytes (0: what the question says) at out; its length, or 0: none is given. */
static size_t answer(
	struct dns *d, uint32_t ip, const uint8_t *msg, size_t len, uint8_t *out, size_t max)
{
	struct dns_query q;
	int rcode;

	if (!is_ours(d, ip) || !within_rate(d, ip)) {
		d->counters.dropped++;
		return 0;
	}
	rcode = dns_query_parse(msg, len, &q);
	if (rcode < 0) {
		d->counters.dropped++;
		return 0;
	}
	d->set.count = d->set.count6 = 0;
	d->set.pointer[0] = '\0';
	if (rcode == DNS_NOERROR)
		rcode = d->config.lookup(d->config.arg, ip, q.name, &d->set);
	count(&d->counters, rcode);
	return dns_answer(&q, msg, rcode, &d->set, d->turn++, out, max ? max : q.answer_max);
}

/* --- UDP ------------------------------------------------------------------------------------------------------- */
static void udp_event(void *arg, uint32_t events)
{
	struct dns *d = arg;
	uint8_t msg[DNS_QUERY_MAX + 1]; /* one that is longer is seen to be */

	(void)events;
	for (unsigned i = 0; i < BATCH; i++) {
		struct sockaddr_in from = {0};
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(
			d->config.udp, msg, sizeof(msg), 0, (struct sockaddr *)&from, &from_len);
		size_t len;

		if (n < 0)
			return;
		len = answer(d, ntohl(from.sin_addr.s_addr), msg, (size_t)n, d->answer, 0);
		if (len) /* one that does not get through is asked for again */
			sendto(d->config.udp, d->answer, len, MSG_DONTWAIT,
				(struct sockaddr *)&from, from_len);
	}
}

/* --- TCP ------------------------------------------------------------------------------------------------------- */
static void accept_enable(struct dns *d, bool on)
{
	loop_io_mod(d->tcp_io, on ? EPOLLIN : 0);
}

static void conn_free(struct conn *c)
{
	struct dns *d = c->dns;

	loop_io_del(c->io);
	loop_timer_free(c->timer);
	close(c->fd);
	free(c->out);
	if (c->next)
		c->next->prev = c->prev;
	if (c->prev)
		c->prev->next = c->next;
	else
		d->conns = c->next;
	if (d->conn_count-- == DNS_CONNECTIONS_MAX)
		accept_enable(d, true);
	free(c);
}

static void conn_silent(void *arg)
{
	conn_free(arg);
}

/* Sends on; 1 when all is sent, 0 when the peer does not take more now, -errno. */
static int conn_send(struct conn *c)
{
	ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	c->out_at += (size_t)n;
	if (c->out_at < c->out_len)
		return 0;
	free(c->out);
	c->out = NULL;
	return 1;
}

/* Answers the whole question at the start of c->in, if there is one: 1; 0 there is none yet; -errno the connection is to end. */
static int conn_answer(struct conn *c)
{
	struct dns *d = c->dns;
	size_t want = c->in_len < TCP_PREFIX ? 0 : (size_t)c->in[0] << 8 | c->in[1], len;

	if (c->in_len >= TCP_PREFIX && (want < DNS_HEADER_BYTES || want > DNS_QUERY_MAX))
		return -EBADMSG;
	if (c->in_len < TCP_PREFIX || c->in_len < TCP_PREFIX + want)
		return 0;
	d->counters.tcp_queries++;
	len = answer(d, c->ip, c->in + TCP_PREFIX, want, d->answer + TCP_PREFIX, DNS_TCP_MAX_BYTES);
	if (!len)
		return -EBADMSG;
	d->answer[0] = (uint8_t)(len >> 8);
	d->answer[1] = (uint8_t)len;
	c->in_len -= TCP_PREFIX + want;
	memmove(c->in, c->in + TCP_PREFIX + want, c->in_len);
	c->out_len = TCP_PREFIX + len;
	c->out_at = 0;
	c->out = malloc(c->out_len);
	if (!c->out)
		return -ENOMEM;
	memcpy(c->out, d->answer, c->out_len);
	return 1;
}

/* 1: something was read, 0: nothing is there now, -errno: the end. */
static int conn_read(struct conn *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, 0);

	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	c->in_len += (size_t)n;
	return 1;
}

static void conn_event(void *arg, uint32_t events)
{
	struct conn *c = arg;
	int r = 1;

	(void)events;
	for (unsigned i = 0; i < BATCH && r > 0; i++) {
		if (c->out)
			r = conn_send(c);
		else if ((r = conn_answer(c)) == 0)
			r = conn_read(c);
	}
	if (r < 0) {
		conn_free(c);
		return;
	}
	loop_timer_set(c->timer, DNS_SILENCE_S * NS_PER_S);
	/* With a question or an answer in hand it is called again, since the peer can take something. */
	loop_io_mod(c->io, r > 0 || c->out ? EPOLLOUT : EPOLLIN);
}

static void conn_new(struct dns *d, int fd, uint32_t ip)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c || loop_timer_new(d->config.loop, conn_silent, c, &c->timer) < 0) {
		free(c);
		close(fd);
		return;
	}
	c->dns = d;
	c->fd = fd;
	c->ip = ip;
	c->next = d->conns;
	if (c->next)
		c->next->prev = c;
	d->conns = c;
	if (++d->conn_count == DNS_CONNECTIONS_MAX)
		accept_enable(d, false);
	loop_timer_set(c->timer, DNS_SILENCE_S * NS_PER_S);
	if (loop_io_add(d->config.loop, fd, EPOLLIN, conn_event, c, &c->io) < 0)
		conn_free(c);
}

static bool may_connect(const struct dns *d, uint32_t ip)
{
	unsigned n = 0;

	for (const struct conn *c = d->conns; c; c = c->next)
		n += c->ip == ip;
	return is_ours(d, ip) && n < DNS_CONNECTIONS_EACH;
}

static void tcp_event(void *arg, uint32_t events)
{
	struct dns *d = arg;

	(void)events;
	for (unsigned i = 0; i < BATCH && d->conn_count < DNS_CONNECTIONS_MAX; i++) {
		struct sockaddr_in from = {0};
		socklen_t len = sizeof(from);
		int fd = accept4(d->config.tcp, (struct sockaddr *)&from, &len,
			SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
				accept_enable(d, false);
				loop_timer_set(d->rest, ACCEPT_REST_NS);
			}
			return;
		}
		if (may_connect(d, ntohl(from.sin_addr.s_addr))) {
			conn_new(d, fd, ntohl(from.sin_addr.s_addr));
			continue;
		}
		d->counters.connections_dropped++;
		close(fd);
	}
}

static void accept_again(void *arg)
{
	struct dns *d = arg;

	accept_enable(d, d->conn_count < DNS_CONNECTIONS_MAX);
}

/* --------------------------------------------------------------------------------------------------------------- */
int dns_new(const struct dns_config *config, struct dns **out)
{
	struct dns *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->config = *config;
	r = loop_timer_new(config->loop, accept_again, d, &d->rest);
	if (r == 0)
		r = loop_io_add(config->loop, config->udp, EPOLLIN, udp_event, d, &d->udp_io);
	if (r == 0)
		r = loop_io_add(config->loop, config->tcp, EPOLLIN, tcp_event, d, &d->tcp_io);
	if (r == 0) {
		*out = d;
		return 0;
	}
	d->config.udp = d->config.tcp = -1;
	dns_free(d);
	return r;
}

void dns_free(struct dns *d)
{
	if (!d)
		return;
	while (d->conns)
		conn_free(d->conns);
	loop_io_del(d->udp_io);
	loop_io_del(d->tcp_io);
	loop_timer_free(d->rest);
	if (d->config.udp >= 0)
		close(d->config.udp);
	if (d->config.tcp >= 0)
		close(d->config.tcp);
	free(d);
}

const struct dns_counters *dns_counters(const struct dns *d)
{
	return &d->counters;
}
