/* SPDX-License-Identifier: Apache-2.0 */
/* The flows stand in a list, the one that was quiet longest first: its time is the only one that a timer has to watch. */
#include "daemon/network/forward_udp.h"

#include "daemon/network/network.h"
#include "lib/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define BATCH          16          /* datagrams for one turn of the loop */
#define DATAGRAM_BYTES (64 * 1024) /* more than any has */

/* Who asks, and at which of the host's addresses. */
struct peer {
	struct sockaddr_in at;
	struct in_addr local;
};

struct flow {
	struct forward_udp *forward;
	struct peer peer;
	int fd; /* inside, connected to the instance */
	struct loop_io *io;
	int64_t used_ns;
	struct flow *prev, *next;
};

struct forward_udp {
	struct forward_config config;
	uint16_t host_port;
	int fd;
	struct loop_io *io;
	struct loop_timer *timer;     /* armed while there are flows */
	struct flow *oldest, *newest; /* by last use */
	unsigned count;
	uint8_t data[DATAGRAM_BYTES];
};

static void list_del(struct flow *w)
{
	struct forward_udp *f = w->forward;

	if (w->prev)
		w->prev->next = w->next;
	else
		f->oldest = w->next;
	if (w->next)
		w->next->prev = w->prev;
	else
		f->newest = w->prev;
}

static void list_add(struct flow *w)
{
	struct forward_udp *f = w->forward;

	w->prev = f->newest;
	w->next = NULL;
	if (w->prev)
		w->prev->next = w;
	else
		f->oldest = w;
	f->newest = w;
}

static void flow_used(struct flow *w)
{
	w->used_ns = loop_now_ns();
	list_del(w);
	list_add(w);
}

static void flow_free(struct flow *w)
{
	list_del(w);
	w->forward->count--;
	loop_io_del(w->io);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}

static void watch_oldest(struct forward_udp *f)
{
	if (f->oldest)
		loop_timer_set(f->timer,
			f->oldest->used_ns + FORWARD_UDP_QUIET_S * NS_PER_S - loop_now_ns());
}

static void quiet(void *arg)
{
	struct forward_udp *f = arg;
	int64_t since = loop_now_ns() - FORWARD_UDP_QUIET_S * NS_PER_S;

	while (f->oldest && f->oldest->used_ns <= since)
		flow_free(f->oldest);
	watch_oldest(f);
}

/* From the address that was asked: a host may have several. */
static void send_back(const struct flow *w, size_t len)
{
	struct forward_udp *f = w->forward;
	union {
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr align;
	} control = {0};
	struct in_pktinfo from = {.ipi_spec_dst = w->peer.local};
	struct sockaddr_in to = w->peer.at;
	struct iovec data = {.iov_base = f->data, .iov_len = len};
	struct msghdr msg = {.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(from));
	memcpy(CMSG_DATA(c), &from, sizeof(from));
	sendmsg(f->fd, &msg, MSG_NOSIGNAL);
}

static void flow_event(void *arg, uint32_t events)
{
	struct flow *w = arg;

	(void)events;
	for (unsigned i = 0; i < BATCH; i++) {
		ssize_t n = recv(w->fd, w->forward->data, DATAGRAM_BYTES, 0);

		if (n < 0 &&
			errno == ECONNREFUSED) /* nobody listens yet: told once for each datagram */
			continue;
		if (n < 0)
			return;
		flow_used(w);
		send_back(w, (size_t)n);
	}
}

static struct flow *flow_new(struct forward_udp *f, const struct peer *peer)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(f->config.port),
		.sin_addr.s_addr = htonl(f->config.ip)};
	struct flow *w;

	if (f->count == FORWARD_UDP_FLOWS_MAX)
		flow_free(f->oldest);
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->forward = f;
	w->peer = *peer;
	w->used_ns = loop_now_ns();
	list_add(w);
	if (f->count++ == 0)
		watch_oldest(f);
	w->fd = network_socket(f->config.net, SOCK_DGRAM);
	if (w->fd < 0 || connect(w->fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
		loop_io_add(f->config.loop, w->fd, EPOLLIN, flow_event, w, &w->io) < 0) {
		flow_free(w);
		return NULL;
	}
	return w;
}

static bool same_peer(const struct peer *a, const struct peer *b)
{
	return a->at.sin_addr.s_addr == b->at.sin_addr.s_addr && a->at.sin_port == b->at.sin_port &&
		a->local.s_addr == b->local.s_addr;
}

static struct flow *flow_of(struct forward_udp *f, const struct peer *peer)
{
	for (struct flow *w = f->newest; w; w = w->prev) {
		if (same_peer(&w->peer, peer)) {
			flow_used(w);
			return w;
		}
	}
	return flow_new(f, peer);
}

/* The next datagram into f->data: its length, or -1. */
static ssize_t receive(struct forward_udp *f, struct peer *peer)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr align;
	} control = {0};
	struct in_pktinfo info = {0};
	struct iovec data = {.iov_base = f->data, .iov_len = DATAGRAM_BYTES};
	struct msghdr msg = {.msg_name = &peer->at,
		.msg_namelen = sizeof(peer->at),
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(f->fd, &msg, 0);

	if (n < 0)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			memcpy(&info, CMSG_DATA(c), sizeof(info));
	}
	peer->local = info.ipi_spec_dst;
	return n;
}

static void host_event(void *arg, uint32_t events)
{
	struct forward_udp *f = arg;

	(void)events;
	for (unsigned i = 0; i < BATCH; i++) {
		struct peer peer = {0};
		ssize_t n = receive(f, &peer);
		struct flow *w;

		if (n < 0 && (errno == ECONNREFUSED || errno == EINTR))
			continue; /* a client is gone: it was told so, we too */
		if (n < 0)
			return;
		w = flow_of(f, &peer);
		if (w)
			send(w->fd, f->data, (size_t)n, MSG_NOSIGNAL);
	}
}

int forward_udp_new(const struct forward_config *config, struct forward_udp **out, struct err *err)
{
	struct forward_udp *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return err_sys(err, ENOMEM, "published port");
	f->config = *config;
	f->fd = forward_bind(config, true, &f->host_port, err);
	r = f->fd;
	if (r < 0)
		goto out_free;
	r = loop_timer_new(config->loop, quiet, f, &f->timer);
	if (r == 0)
		r = loop_io_add(config->loop, f->fd, EPOLLIN, host_event, f, &f->io);
	if (r < 0) {
		err_sys(err, -r, "published port");
		goto out_free;
	}
	*out = f;
	return 0;
out_free:
	forward_udp_free(f);
	return r;
}

void forward_udp_free(struct forward_udp *f)
{
	if (!f)
		return;
	while (f->oldest)
		flow_free(f->oldest);
	loop_io_del(f->io);
	loop_timer_free(f->timer);
	if (f->fd >= 0)
		close(f->fd);
	free(f);
}

uint16_t forward_udp_port(const struct forward_udp *f)
{
	return f->host_port;
}
