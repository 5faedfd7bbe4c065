/* SPDX-License-Identifier: Apache-2.0 */
#include "services/kvstore/mc_server.h"

#include "lib/loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define BACKLOG     512
#define ACCEPTS_MAX 64 /* an event */
#define ACCEPT_PAUSE_NS                                                                            \
	(100 * NS_PER_MS) /* when the system has no descriptor or memory for one more */

struct conn {
	struct mc_server *server;
	struct conn *next, *prev;
	struct loop_io *io;
	int fd;
	uint32_t events;
	int64_t progress_ns; /* when bytes last went in or out */
	char *pending;       /* owned: input that was read and waits; NULL: none */
	size_t pending_len;
	struct mc_session session;
};

struct mc_server {
	struct mc_config cfg;
	struct loop_io *io;
	struct loop_timer *accept_timer, *stall_timer;
	struct conn *conns;
	unsigned int count;
	bool watching; /* the stall timer is set */
	char input[MC_READ_BYTES];
};

static void tell_time(struct mc_server *srv)
{
	srv->cfg.shared->now_ns = loop_now_ns();
	srv->cfg.shared->unix_s = time(NULL);
}

static void conn_close(struct conn *c)
{
	struct mc_server *srv = c->server;

	loop_io_del(c->io);
	close(c->fd);
	mc_session_fini(&c->session);
	*(c->prev ? &c->prev->next : &srv->conns) = c->next;
	if (c->next)
		c->next->prev = c->prev;
	srv->count--;
	srv->cfg.shared->n.curr_connections--;
	free(c->pending);
	free(c);
}

/* --- clients that stop half-way ----------------------------------------------------------------------------------- */
static bool half_way(const struct conn *c)
{
	return c->pending || mc_session_waiting(&c->session) || c->session.len ||
		c->session.state != MC_IN_LINE;
}

static void watch_stalls(struct mc_server *srv)
{
	if (srv->watching)
		return;
	srv->watching = true;
	loop_timer_set(srv->stall_timer, srv->cfg.stall_s * NS_PER_S / 2);
}

static void on_stall(void *arg)
{
	struct mc_server *srv = arg;
	int64_t before = loop_now_ns() - srv->cfg.stall_s * NS_PER_S;
	bool any = false;
	struct conn *next;

	srv->watching = false;
	for (struct conn *c = srv->conns; c; c = next) {
		next = c->next;
		if (!half_way(c))
			continue;
		if (c->progress_ns <= before) {
			srv->cfg.shared->n.idle_kicks++;
			conn_close(c);
		} else {
			any = true;
		}
	}
	if (any)
		watch_stalls(srv);
}

/* --- bytes -------------------------------------------------------------------------------------------------------- */
/* What the session does not use now waits in c->pending. data may be c->pending. */
static int feed(struct conn *c, const char *data, size_t len)
{
	size_t used = mc_session_feed(&c->session, data, len);
	char *rest = NULL;

	if (used < len && !c->session.quit) {
		rest = malloc(len - used);
		if (!rest)
			return -ENOMEM;
		memcpy(rest, data + used, len - used);
	}
	free(c->pending);
	c->pending = rest;
	c->pending_len = rest ? len - used : 0;
	return 0;
}

/* 0, or -errno when the connection is to be closed. */
static int fill(struct conn *c)
{
	struct mc_server *srv = c->server;
	ssize_t n;

	if (c->pending)
		return feed(c, c->pending, c->pending_len);
	n = recv(c->fd, srv->input, sizeof(srv->input), 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	c->progress_ns = srv->cfg.shared->now_ns;
	return feed(c, srv->input, (size_t)n);
}

static int drain(struct conn *c)
{
	struct mc_session *s = &c->session;
	ssize_t n;

	if (!mc_session_waiting(s))
		return 0;
	n = send(c->fd, s->out.data + s->sent, mc_session_waiting(s), MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	c->progress_ns = c->server->cfg.shared->now_ns;
	mc_session_sent(s, (size_t)n);
	return 0;
}

static void on_conn(void *arg, uint32_t events)
{
	struct conn *c = arg;
	struct mc_session *s = &c->session;
	uint32_t want;
	int r = 0;

	tell_time(c->server);
	if (!mc_session_waiting(s))
		r = fill(c);
	else if (events & (EPOLLERR | EPOLLHUP))
		r = -EPIPE;
	if (r == 0)
		r = drain(c);
	if (r < 0 || (s->quit && !mc_session_waiting(s))) {
		conn_close(c);
		return;
	}
	/* With input that waits, the socket being writable is what calls again: others have their turn between. */
	want = mc_session_waiting(s) || c->pending ? EPOLLOUT : EPOLLIN;
	if (want != c->events && loop_io_mod(c->io, want) < 0) {
		conn_close(c);
		return;
	}
	c->events = want;
	if (half_way(c))
		watch_stalls(c->server);
}

/* --- connections -------------------------------------------------------------------------------------------------- */
static void reject(struct mc_server *srv, int fd)
{
	static const char why[] = "ERROR Too many open connections\r\n";

	srv->cfg.shared->n.rejected_connections++;
	send(fd, why, sizeof(why) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void conn_open(struct mc_server *srv, int fd)
{
	struct conn *c = srv->count < srv->cfg.connections_max ? calloc(1, sizeof(*c)) : NULL;
	int one = 1;

	if (!c || loop_io_add(srv->cfg.loop, fd, EPOLLIN, on_conn, c, &c->io) < 0) {
		free(c);
		reject(srv, fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->server = srv;
	c->fd = fd;
	c->events = EPOLLIN;
	c->progress_ns = loop_now_ns();
	c->next = srv->conns;
	if (c->next)
		c->next->prev = c;
	srv->conns = c;
	srv->count++;
	mc_session_init(&c->session, srv->cfg.shared);
	srv->cfg.shared->n.curr_connections++;
	srv->cfg.shared->n.total_connections++;
}

static void on_accept(void *arg, uint32_t events)
{
	struct mc_server *srv = arg;

	(void)events;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		int fd = accept4(srv->cfg.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			conn_open(srv, fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN) {
			loop_io_mod(srv->io, 0);
			loop_timer_set(srv->accept_timer, ACCEPT_PAUSE_NS);
		}
		return;
	}
}

static void on_accept_again(void *arg)
{
	struct mc_server *srv = arg;

	loop_io_mod(srv->io, EPOLLIN);
}

static int start(struct mc_server *srv)
{
	struct loop *loop = srv->cfg.loop;
	int r = loop_timer_new(loop, on_accept_again, srv, &srv->accept_timer);

	if (r == 0)
		r = loop_timer_new(loop, on_stall, srv, &srv->stall_timer);
	if (r == 0 && listen(srv->cfg.fd, BACKLOG) < 0)
		r = -errno;
	return r < 0 ? r : loop_io_add(loop, srv->cfg.fd, EPOLLIN, on_accept, srv, &srv->io);
}

int mc_server_new(const struct mc_config *cfg, struct mc_server **out, struct err *err)
{
	struct mc_server *srv = calloc(1, sizeof(*srv));
	int r;

	if (!srv)
		return err_set(err, ENOMEM, "out of memory");
	srv->cfg = *cfg;
	r = start(srv);
	if (r < 0) {
		srv->cfg.fd = -1; /* stays the caller's */
		mc_server_free(srv);
		return err_sys(err, -r, "cannot listen for memcached's protocol");
	}
	cfg->shared->connections_max = cfg->connections_max;
	tell_time(srv);
	cfg->shared->start_ns = cfg->shared->now_ns;
	*out = srv;
	return 0;
}

void mc_server_free(struct mc_server *srv)
{
	if (!srv)
		return;
	while (srv->conns)
		conn_close(srv->conns);
	loop_io_del(srv->io);
	loop_timer_free(srv->accept_timer);
	loop_timer_free(srv->stall_timer);
	if (srv->cfg.fd >= 0)
		close(srv->cfg.fd);
	free(srv);
}
