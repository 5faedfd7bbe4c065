/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection has two ends and two flows (end[i] -> pipe -> end[!i]). Whatever happens at an end, both
 * flows are pumped until nothing moves, then the events that could move something again are asked for:
 *   read from an end when its flow's pipe is empty, write to an end when the flow towards it holds bytes.
 * A flow that saw the end of its stream and has an empty pipe shuts the other end down for writing; the
 * connection is over when both flows are, or when an end fails (the other is then reset).
 */
#include "daemon/network/forward.h"

#include "daemon/network/network.h"
#include "lib/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define SPLICE_BYTES   (64 * 1024) /* the capacity of a pipe */
#define LISTEN_BACKLOG 128
#define ACCEPT_BATCH   16
#define ACCEPT_REST_NS (100 * NS_PER_MS) /* without descriptors or memory for a connection */

struct flow {
	int pipe[2];
	size_t held;        /* bytes in the pipe */
	bool eof, finished; /* nothing more comes in; and that was passed on */
};

struct end {
	int fd;
	struct loop_io *io;
	uint32_t events; /* asked for now */
	struct conn *conn;
};

struct conn {
	struct forward *forward;
	bool connecting; /* end[1], to the instance */
	struct end end[2];
	struct flow flow[2]; /* flow[i] leaves end[i] */
	struct conn *prev, *next;
};

struct forward {
	struct forward_config config;
	uint16_t host_port;
	int fd;
	struct loop_io *io;
	struct loop_timer *rest; /* armed: nothing is accepted until then */
	struct conn *conns;
	unsigned count;
};

static void accept_enable(struct forward *f, bool on)
{
	loop_io_mod(f->io, on ? EPOLLIN : 0);
}

static void conn_free(struct conn *c)
{
	struct forward *f = c->forward;

	for (int i = 0; i < 2; i++) {
		loop_io_del(c->end[i].io);
		if (c->end[i].fd >= 0)
			close(c->end[i].fd);
		for (int j = 0; j < 2; j++) {
			if (c->flow[i].pipe[j] >= 0)
				close(c->flow[i].pipe[j]);
		}
	}
	if (c->next)
		c->next->prev = c->prev;
	if (c->prev)
		c->prev->next = c->next;
	else
		f->conns = c->next;
	if (f->count-- == FORWARD_CONNECTIONS_MAX)
		accept_enable(f, true);
	free(c);
}

/* The peer shall see that the stream was cut, not that it ended. */
static void conn_abort(struct conn *c)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	for (int i = 0; i < 2; i++) {
		if (c->end[i].fd >= 0)
			setsockopt(c->end[i].fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	}
	conn_free(c);
}

/* Moves what can be moved in one direction; true when something was; -errno when an end failed. */
static int flow_pump(struct flow *flow, int in, int out)
{
	int moved = 0;
	ssize_t n;

	if (!flow->eof && flow->held == 0) {
		n = splice(in, NULL, flow->pipe[1], NULL, SPLICE_BYTES,
			SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		if (n < 0 && errno != EAGAIN)
			return -errno;
		flow->eof = n == 0;
		flow->held = n > 0 ? (size_t)n : 0;
		moved |= n >= 0;
	}
	if (flow->held > 0) {
		n = splice(flow->pipe[0], NULL, out, NULL, flow->held,
			SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		if (n < 0 && errno != EAGAIN)
			return -errno;
		flow->held -= n > 0 ? (size_t)n : 0;
		moved |= n > 0;
	}
	if (flow->eof && flow->held == 0 && !flow->finished) {
		shutdown(out, SHUT_WR);
		flow->finished = true;
	}
	return moved;
}

static void end_ask(struct conn *c, int i)
{
	uint32_t events = 0;

	if (!c->end[i].io)
		return;
	if (c->flow[i].eof && c->flow[!i].finished) { /* or its EPOLLHUP would be told for ever */
		loop_io_del(c->end[i].io);
		c->end[i].io = NULL;
		return;
	}
	if (!c->flow[i].eof && c->flow[i].held == 0 && !c->connecting)
		events |= EPOLLIN;
	if (c->flow[!i].held > 0 || (i == 1 && c->connecting))
		events |= EPOLLOUT;
	if (events != c->end[i].events)
		loop_io_mod(c->end[i].io, events);
	c->end[i].events = events;
}

/* Bounded, so that one fast pair does not starve the rest of the loop: epoll is level-triggered and calls again. */
static void conn_pump(struct conn *c)
{
	for (int round = 0; round < 4; round++) {
		int a = flow_pump(&c->flow[0], c->end[0].fd, c->end[1].fd);
		int b = a < 0 ? a : flow_pump(&c->flow[1], c->end[1].fd, c->end[0].fd);

		if (b < 0) {
			conn_abort(c);
			return;
		}
		if (!a && !b)
			break;
	}
	if (c->flow[0].finished && c->flow[1].finished) {
		conn_free(c);
		return;
	}
	end_ask(c, 0);
	end_ask(c, 1);
}

static void end_event(void *arg, uint32_t events)
{
	struct end *end = arg;
	struct conn *c = end->conn;
	int error = 0;
	socklen_t len = sizeof(error);

	if (c->connecting && end == &c->end[0]) { /* EPOLLHUP or EPOLLERR: the client gave up */
		conn_abort(c);
		return;
	}
	if (c->connecting) {
		if (getsockopt(end->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error) {
			conn_abort(c);
			return;
		}
		c->connecting = false;
	} else if (events & EPOLLERR) {
		conn_abort(c);
		return;
	}
	conn_pump(c);
}

static int conn_open(struct conn *c)
{
	struct forward *f = c->forward;
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(f->config.port),
		.sin_addr.s_addr = htonl(f->config.ip)};
	int one = 1, r;

	for (int i = 0; i < 2; i++) {
		if (pipe2(c->flow[i].pipe, O_CLOEXEC | O_NONBLOCK) < 0)
			return -errno;
	}
	c->end[1].fd = network_socket(f->config.net, SOCK_STREAM);
	if (c->end[1].fd < 0)
		return c->end[1].fd;
	for (int i = 0; i < 2; i++)
		setsockopt(c->end[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(c->end[1].fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		return -errno;
	c->connecting = true;
	c->end[1].events = EPOLLOUT;
	r = loop_io_add(f->config.loop, c->end[0].fd, 0, end_event, &c->end[0], &c->end[0].io);
	if (r < 0)
		return r;
	return loop_io_add(
		f->config.loop, c->end[1].fd, EPOLLOUT, end_event, &c->end[1], &c->end[1].io);
}

static void conn_new(struct forward *f, int fd)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return;
	}
	c->forward = f;
	c->end[0] = (struct end){.fd = fd, .conn = c};
	c->end[1] = (struct end){.fd = -1, .conn = c};
	c->flow[0].pipe[0] = c->flow[0].pipe[1] = c->flow[1].pipe[0] = c->flow[1].pipe[1] = -1;
	c->next = f->conns;
	if (c->next)
		c->next->prev = c;
	f->conns = c;
	if (++f->count == FORWARD_CONNECTIONS_MAX)
		accept_enable(f, false);
	if (conn_open(c) < 0)
		conn_abort(c);
}

/* The client waits on in the listener's queue, which epoll would tell about for ever. */
static void accept_rest(struct forward *f)
{
	accept_enable(f, false);
	loop_timer_set(f->rest, ACCEPT_REST_NS);
}

static void accept_again(void *arg)
{
	struct forward *f = arg;

	accept_enable(f, f->count < FORWARD_CONNECTIONS_MAX);
}

static void accept_event(void *arg, uint32_t events)
{
	struct forward *f = arg;

	(void)events;
	for (int i = 0; i < ACCEPT_BATCH && f->count < FORWARD_CONNECTIONS_MAX; i++) {
		int fd = accept4(f->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				accept_rest(f);
			return;
		}
		conn_new(f, fd);
	}
}

int forward_bind(const struct forward_config *config, bool udp, uint16_t *port, struct err *err)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons(config->host_port),
		.sin_addr.s_addr = htonl(config->host_ip)};
	_cleanup_close_ int fd =
		socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof(at);
	char text[IPV4_TEXT_BYTES];
	int one = 1, r;

	r = fd < 0    ? -1
		: udp ? setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one))
		      : setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (r < 0)
		return err_sys(err, errno, "cannot make a socket");
	ipv4_format(config->host_ip, text);
	if (bind(fd, (struct sockaddr *)&at, len) < 0 || (!udp && listen(fd, LISTEN_BACKLOG) < 0) ||
		getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		return err_sys(err, errno, "cannot publish on %s:%u%s", text, config->host_port,
			udp ? "/udp" : "");
	*port = ntohs(at.sin_port);
	return steal_fd(&fd);
}

int forward_new(const struct forward_config *config, struct forward **out, struct err *err)
{
	struct forward *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return err_sys(err, ENOMEM, "published port");
	f->config = *config;
	f->fd = forward_bind(config, false, &f->host_port, err);
	r = f->fd;
	if (r < 0)
		goto out_free;
	r = loop_timer_new(config->loop, accept_again, f, &f->rest);
	if (r == 0)
		r = loop_io_add(config->loop, f->fd, EPOLLIN, accept_event, f, &f->io);
	if (r < 0) {
		err_sys(err, -r, "published port");
		goto out_free;
	}
	*out = f;
	return 0;
out_free:
	forward_free(f);
	return r;
}

void forward_free(struct forward *f)
{
	if (!f)
		return;
	while (f->conns)
		conn_abort(f->conns);
	loop_io_del(f->io);
	loop_timer_free(f->rest);
	if (f->fd >= 0)
		close(f->fd);
	free(f);
}

uint16_t forward_port(const struct forward *f)
{
	return f->host_port;
}
