/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer that was sent before the whole request was read must not be followed by close(): the kernel would answer what
 * still comes in by a reset, and the client would lose the answer with it. So the socket is kept (a duplicate of it, MHD
 * closes its own), the sending side is shut, and what comes is thrown away until the client closes or time is up.
 */
#include "lib/httpd_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define LINGERS_MAX   64
#define LINGER_NS     (30 * NS_PER_S)
#define PIECES_A_TURN 16

static void end(struct httpd_linger *l)
{
	if (l->prev)
		l->prev->next = l->next;
	else
		l->h->lingers = l->next;
	if (l->next)
		l->next->prev = l->prev;
	l->h->linger_count--;
	loop_io_del(l->io);
	close(l->fd);
	free(l);
}

static void on_data(void *arg, uint32_t events)
{
	struct httpd_linger *l = arg;
	char sink[4096];

	(void)events;
	for (int i = 0; i < PIECES_A_TURN; i++) {
		ssize_t n = recv(l->fd, sink, sizeof(sink), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			end(l);
			return;
		}
	}
}

void httpd_linger_begin(struct httpd_conn *conn)
{
	struct httpd *h = conn->listener->h;
	struct httpd_linger *l;

	if (h->stopping || h->linger_count >= LINGERS_MAX)
		return;
	l = calloc(1, sizeof(*l));
	if (!l)
		return;
	*l = (struct httpd_linger){.h = h, .deadline_ns = loop_now_ns() + LINGER_NS};
	l->fd = fcntl(conn->fd, F_DUPFD_CLOEXEC, 0);
	if (l->fd < 0 || loop_io_add(h->loop, l->fd, EPOLLIN, on_data, l, &l->io) < 0) {
		if (l->fd >= 0)
			close(l->fd);
		free(l);
		return;
	}
	shutdown(l->fd, SHUT_WR);
	l->next = h->lingers;
	if (l->next)
		l->next->prev = l;
	h->lingers = l;
	h->linger_count++;
	if (!h->sweep_at_ns || l->deadline_ns < h->sweep_at_ns)
		h->sweep_at_ns = l->deadline_ns;
}

int64_t httpd_linger_sweep(struct httpd *h, int64_t now_ns)
{
	struct httpd_linger *next;
	int64_t earliest = 0;

	for (struct httpd_linger *l = h->lingers; l; l = next) {
		next = l->next;
		if (l->deadline_ns <= now_ns)
			end(l);
		else if (!earliest || l->deadline_ns < earliest)
			earliest = l->deadline_ns;
	}
	return earliest;
}
