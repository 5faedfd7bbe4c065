/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/template/exercise.h"

#include "daemon/network/network.h"
#include "lib/loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_NS (1 * NS_PER_S)   /* for the first byte of an answer */
#define QUIET_NS  (50 * NS_PER_MS) /* a server that does not close: it has said what it had to */
#define ALL_NS    (20 * NS_PER_S)  /* of all requests together */

struct exercise {
	struct loop *loop;
	const struct network *net;
	struct exercise_spec spec;
	struct sockaddr_in to;
	exercise_fn *fn;
	void *arg;
	int fd; /* of the request under way; -1 */
	struct loop_io *io;
	struct loop_timer *timer; /* the next request, or the end of this one's time */
	bool heard;               /* something of its answer */
	unsigned begun, answered;
	int64_t end_ns;
};

static void request_end(struct exercise *x)
{
	loop_io_del(x->io);
	x->io = NULL;
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
}

/* fn may free it. */
static void finish(struct exercise *x)
{
	request_end(x);
	loop_timer_cancel(x->timer);
	x->fn(x->arg, x->answered);
}

static void over(struct exercise *x)
{
	request_end(x);
	x->answered += x->heard;
	if (x->heard && x->begun < x->spec.requests && loop_now_ns() < x->end_ns)
		loop_timer_set(x->timer, 0);
	else
		finish(x);
}

static void answered(void *arg, uint32_t events)
{
	struct exercise *x = arg;
	char data[4096];
	ssize_t n = recv(x->fd, data, sizeof(data), 0);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || loop_now_ns() >= x->end_ns) {
		over(x);
		return;
	}
	x->heard = true;
	loop_timer_set(x->timer, QUIET_NS);
}

/* The request fits into an empty socket's buffer. */
static void connected(void *arg, uint32_t events)
{
	struct exercise *x = arg;
	char request[EXERCISE_PATH_BYTES + 128];
	int n = snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: uigniterd\r\nConnection: "
		"close\r\n\r\n",
		x->spec.path);

	(void)events;
	loop_io_del(x->io);
	x->io = NULL;
	if (send(x->fd, request, (size_t)n, MSG_NOSIGNAL) != n ||
		loop_io_add(x->loop, x->fd, EPOLLIN, answered, x, &x->io) < 0)
		over(x);
}

static void next(void *arg)
{
	struct exercise *x = arg;

	if (x->fd >= 0) { /* its time is over */
		over(x);
		return;
	}
	x->heard = false;
	x->begun++;
	x->fd = network_socket(x->net, SOCK_STREAM);
	if (x->fd < 0 ||
		(connect(x->fd, (struct sockaddr *)&x->to, sizeof(x->to)) < 0 &&
			errno != EINPROGRESS) ||
		loop_io_add(x->loop, x->fd, EPOLLOUT, connected, x, &x->io) < 0)
		over(x);
	else
		loop_timer_set(x->timer, ANSWER_NS);
}

int exercise_new(struct loop *loop, const struct network *net, const struct exercise_spec *spec,
	exercise_fn *fn, void *arg, struct exercise **out)
{
	struct exercise *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return -ENOMEM;
	*x = (struct exercise){.loop = loop,
		.net = net,
		.spec = *spec,
		.fn = fn,
		.arg = arg,
		.fd = -1,
		.end_ns = loop_now_ns() + ALL_NS,
		.to = {.sin_family = AF_INET,
			.sin_port = htons(spec->port),
			.sin_addr.s_addr = htonl(spec->ip)}};
	r = loop_timer_new(loop, next, x, &x->timer);
	if (r < 0) {
		free(x);
		return r;
	}
	loop_timer_set(x->timer, 0);
	*out = x;
	return 0;
}

void exercise_free(struct exercise *x)
{
	if (!x)
		return;
	request_end(x);
	loop_timer_free(x->timer);
	free(x);
}
