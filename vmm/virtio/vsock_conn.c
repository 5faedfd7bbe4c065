/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: its bytes both ways, credit, and its end. Sockets are watched for edges, so that what nobody can take just now
 * (no credit, no buffer) wakes nobody: `readable` remembers it.
 */
#include "vmm/virtio/vsock_impl.h"

#include "abi/virtio.h"
#include "lib/loop.h"
#include "lib/util.h"
#include "vmm/stat.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CREDIT_STEP (VSOCK_BUF_BYTES / 2) /* the guest hears of room when there is so much more */

/* --- life ------------------------------------------------------------------------------------------------------ */
static struct vsock_conn **slot_of(struct vsock_dev *v, uint32_t guest_port, uint32_t host_port)
{
	return &v->hash[(guest_port ^ host_port * 31) % VSOCK_HASH];
}

struct vsock_conn *vsock_find(struct vsock_dev *v, uint32_t guest_port, uint32_t host_port)
{
	struct vsock_conn *c = *slot_of(v, guest_port, host_port);

	while (c && (c->guest_port != guest_port || c->host_port != host_port))
		c = c->next_hash;
	return c;
}

void vsock_conn_hash(struct vsock_dev *v, struct vsock_conn *c)
{
	struct vsock_conn **slot = slot_of(v, c->guest_port, c->host_port);

	c->next_hash = *slot;
	*slot = c;
}

static void unhash(struct vsock_dev *v, struct vsock_conn *c)
{
	struct vsock_conn **p = slot_of(v, c->guest_port, c->host_port);

	while (*p && *p != c)
		p = &(*p)->next_hash;
	if (*p)
		*p = c->next_hash;
}

static void close_socket(struct vsock_conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->readable = false;
	free(c->buf);
	c->buf = NULL;
	c->buf_len = 0;
}

void vsock_conn_free(struct vsock_dev *v, struct vsock_conn *c)
{
	unhash(v, c);
	close_socket(c);
	if (c->is_pending)
		TAILQ_REMOVE(&v->pending, c, pending);
	TAILQ_REMOVE(&v->all, c, all);
	v->nconns--;
	v->accepting = true;
	free(c);
}

/* The oldest that has no right to stay: a host program that does not say what it wants, a guest that does not say that it knows of an end. */
static bool make_room(struct vsock_dev *v)
{
	for (struct vsock_conn *c = TAILQ_FIRST(&v->all); c; c = TAILQ_NEXT(c, all)) {
		if (c->state == VSOCK_GREETING || (c->state == VSOCK_OPEN && c->fd < 0)) {
			vsock_conn_free(v, c);
			return true;
		}
	}
	return false;
}

struct vsock_conn *vsock_conn_new(struct vsock_dev *v, enum vsock_state state, uint32_t guest_port,
	uint32_t host_port, int fd)
{
	struct vsock_conn *c = NULL;

	if (v->nconns < VSOCK_CONNS_MAX || make_room(v))
		c = calloc(1, sizeof(*c));
	if (!c) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	c->state = state;
	c->id = ++v->next_id;
	c->guest_port = guest_port;
	c->host_port = host_port;
	c->fd = fd;
	TAILQ_INSERT_TAIL(&v->all, c, all);
	v->nconns++;
	if (state != VSOCK_GREETING)
		vsock_conn_hash(v, c);
	return c;
}

void vsock_conn_reset(struct vsock_dev *v, struct vsock_conn *c)
{
	close_socket(c);
	c->state = VSOCK_RESETTING;
	c->want = VSOCK_WANT_RST;
	vsock_update(v, c);
}

uint32_t vsock_conn_credit(const struct vsock_conn *c)
{
	uint32_t used = c->sent - c->peer_fwd;

	return used < c->peer_alloc ? c->peer_alloc - used : 0;
}

static bool can_read(const struct vsock_conn *c)
{
	return c->state == VSOCK_OPEN && c->fd >= 0 && c->readable && !c->eof &&
		!(c->shutdown & VIRTIO_VSOCK_SHUTDOWN_RECV);
}

void vsock_update(struct vsock_dev *v, struct vsock_conn *c)
{
	bool want = c->want != 0;

	if (!want && can_read(c)) {
		want = vsock_conn_credit(c) > 0;
		if (!want &&
			!c->asked) { /* a driver tells of room by itself; to ask costs little */
			c->want |= VSOCK_WANT_ASK;
			c->asked = want = true;
		}
	}
	if (want == c->is_pending)
		return;
	c->is_pending = want;
	if (want)
		TAILQ_INSERT_TAIL(&v->pending, c, pending);
	else
		TAILQ_REMOVE(&v->pending, c, pending);
}

/* --- guest to host --------------------------------------------------------------------------------------------- */
static void forwarded(struct vsock_conn *c, uint32_t bytes)
{
	c->fwd += bytes;
	if (c->fwd - c->fwd_told >= CREDIT_STEP)
		c->want |= VSOCK_WANT_CREDIT;
}

/* The host takes no more: what waits is dropped, and what is yet to come. */
static void refuse(struct vsock_conn *c)
{
	if (c->refused)
		return;
	c->refused = true;
	forwarded(c, c->buf_len);
	free(c->buf);
	c->buf = NULL;
	c->buf_len = 0;
	if (!(c->shutdown & VIRTIO_VSOCK_SHUTDOWN_SEND))
		c->want |= VSOCK_WANT_SHUTDOWN;
}

static void watch_for_room(struct vsock_dev *v, struct vsock_conn *c, bool on)
{
	struct epoll_event e = {
		.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (on ? EPOLLOUT : 0), .data.ptr = c};

	epoll_ctl(v->epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
}

static ssize_t write_some(struct vsock_conn *c, const struct iovec *iov, unsigned n)
{
	ssize_t done;

	do
		done = writev(c->fd, iov, (int)n);
	while (done < 0 && errno == EINTR);
	if (done < 0 && errno != EAGAIN) {
		refuse(c);
		return -1;
	}
	return done < 0 ? 0 : done;
}

/* Keeps what the socket did not take; there is room, for the guest keeps to its credit. */
static bool keep(struct vsock_conn *c, const struct iovec *iov, unsigned n, size_t skip)
{
	if (!c->buf)
		c->buf = malloc(VSOCK_BUF_BYTES);
	if (!c->buf)
		return false;
	if (c->buf_at > 0) {
		memmove(c->buf, c->buf + c->buf_at, c->buf_len);
		c->buf_at = 0;
	}
	for (unsigned i = 0; i < n; i++) {
		size_t off = skip < iov[i].iov_len ? skip : iov[i].iov_len,
		       len = iov[i].iov_len - off;

		skip -= off;
		memcpy(c->buf + c->buf_len, (const char *)iov[i].iov_base + off, len);
		c->buf_len += (uint32_t)len;
	}
	return true;
}

bool vsock_conn_write(struct vsock_dev *v, struct vsock_conn *c, const struct iovec *iov,
	unsigned n, uint32_t bytes)
{
	ssize_t done = 0;

	if (bytes > VSOCK_BUF_BYTES - (c->got - c->fwd))
		return false;
	c->got += bytes;
	stat_add(&v->tx_bytes, bytes);
	if (!c->refused && c->fd >= 0 && c->buf_len == 0 && bytes > 0)
		done = write_some(c, iov, n);
	if (c->refused || c->fd < 0) {
		forwarded(c, bytes);
		return true;
	}
	forwarded(c, (uint32_t)done);
	if ((uint32_t)done == bytes)
		return true;
	if (!keep(c, iov, n, (size_t)done)) {
		refuse(c);
		forwarded(c, bytes - (uint32_t)done);
		return true;
	}
	if (c->buf_len == bytes - (uint32_t)done)
		watch_for_room(v, c, true);
	return true;
}

/* Writes what was kept. */
static void flush(struct vsock_dev *v, struct vsock_conn *c)
{
	while (c->buf_len > 0 && !c->refused) {
		struct iovec part = {.iov_base = c->buf + c->buf_at, .iov_len = c->buf_len};
		ssize_t done = write_some(c, &part, 1);

		if (done <= 0)
			return;
		c->buf_at += (uint32_t)done;
		c->buf_len -= (uint32_t)done;
		forwarded(c, (uint32_t)done);
	}
	free(c->buf);
	c->buf = NULL;
	c->buf_at = 0;
	watch_for_room(v, c, false);
	if (c->shutdown & VIRTIO_VSOCK_SHUTDOWN_SEND)
		shutdown(c->fd, SHUT_WR);
}

/* --- host to guest --------------------------------------------------------------------------------------------- */
static void ended(struct vsock_conn *c)
{
	c->eof = true;
	c->readable = false;
	c->want |= VSOCK_WANT_SHUTDOWN;
}

uint32_t vsock_conn_read(
	struct vsock_dev *v, struct vsock_conn *c, const struct iovec *iov, unsigned n)
{
	size_t room = 0;
	ssize_t got;

	for (unsigned i = 0; i < n; i++)
		room += iov[i].iov_len;
	do
		got = readv(c->fd, iov, (int)n);
	while (got < 0 && errno == EINTR);
	if (got < 0 &&
		errno == ECONNRESET) { /* it has not read all; what it has sent is behind that */
		refuse(c);
		c->gone = c->hung_up = true;
		return 0;
	}
	if (got <= 0) {
		c->readable = false;
		if (got == 0 || errno != EAGAIN)
			ended(c);
		return 0;
	}
	if ((size_t)got < room && !c->hung_up)
		c->readable = false; /* it was emptied: what comes then is an edge */
	c->sent += (uint32_t)got;
	stat_add(&v->rx_bytes, (uint64_t)got);
	return (uint32_t)got;
}

/* --- the end --------------------------------------------------------------------------------------------------- */
void vsock_conn_drain(struct vsock_dev *v, struct vsock_conn *c)
{
	if (c->fd < 0 || c->buf_len == 0) {
		vsock_conn_free(v, c);
		return;
	}
	unhash(v, c);
	c->state = VSOCK_DRAINING;
	c->want = 0;
	c->readable = false;
	vsock_update(v, c);
}

void vsock_conn_shutdown(struct vsock_dev *v, struct vsock_conn *c, uint32_t flags)
{
	uint32_t news = flags & ~c->shutdown & VIRTIO_VSOCK_SHUTDOWN_BOTH;

	c->shutdown |= news;
	if (c->fd < 0)
		return;
	if (news & VIRTIO_VSOCK_SHUTDOWN_RECV)
		shutdown(c->fd, SHUT_RD);
	if ((news & VIRTIO_VSOCK_SHUTDOWN_SEND) && c->buf_len == 0)
		shutdown(c->fd, SHUT_WR);
}

void vsock_conn_event(struct vsock_dev *v, struct vsock_conn *c, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->readable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->hung_up = true;
	if (events & EPOLLHUP)
		c->gone = true;
	if (c->gone && c->state != VSOCK_GREETING)
		refuse(c);
	if (c->state == VSOCK_GREETING) {
		vsock_host_greeting(v, c);
		return;
	}
	if ((events & EPOLLOUT) && c->buf_len > 0)
		flush(v, c);
	if (c->state == VSOCK_DRAINING && c->buf_len == 0)
		vsock_conn_free(v, c);
	else if (c->state == VSOCK_ASKING && c->gone)
		vsock_conn_reset(v, c);
	else if (c->state != VSOCK_DRAINING)
		vsock_update(v, c);
}

static struct vsock_conn *next_unsent(struct vsock_dev *v)
{
	for (struct vsock_conn *c = TAILQ_FIRST(&v->all); c; c = TAILQ_NEXT(c, all)) {
		if (c->fd >= 0 && c->buf_len > 0)
			return c;
	}
	return NULL;
}

void vsock_settle_all(struct vsock_dev *v, int timeout_ms)
{
	int64_t until = loop_now_ns() + timeout_ms * NS_PER_MS;
	struct vsock_conn *c;

	while ((c = next_unsent(v)) != NULL) {
		struct pollfd p = {.fd = c->fd, .events = POLLOUT};
		int64_t left = (until - loop_now_ns()) / NS_PER_MS;

		if (left > 0 && poll(&p, 1, (int)left) > 0)
			flush(v, c);
		else
			refuse(c);
	}
}
