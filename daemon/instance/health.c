/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/instance/health.h"

#include "daemon/network/network.h"
#include "lib/loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define PAUSE_FIRST_NS (10 * NS_PER_MS) /* in the start period, then twice that, ... */

struct health {
	struct loop *loop;
	const struct network *net;
	struct health_spec spec;
	struct sockaddr_in to;
	struct health_tally tally;
	int64_t started_ns, pause_ns;
	health_fn *fn;
	void *arg;
	int fd; /* of the check under way; -1 */
	struct loop_io *io;
	struct loop_timer *timer; /* the next check, or the end of this one's time */
	char line[HEALTH_LINE_BYTES];
	size_t len;
	char why[96];
};

static void check_end(struct health *h)
{
	loop_io_del(h->io);
	h->io = NULL;
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
}

static int64_t pause_until_next(struct health *h)
{
	int64_t interval_ns = (int64_t)h->spec.interval_ms * NS_PER_MS, pause = h->pause_ns;

	if (h->tally.state != HEALTH_STARTING ||
		loop_now_ns() - h->started_ns >= (int64_t)h->spec.start_period_ms * NS_PER_MS ||
		pause >= interval_ns)
		return interval_ns;
	h->pause_ns *= 2;
	return pause;
}

/* fn may free it. */
static void result(struct health *h, const char *why)
{
	health_fn *fn = h->fn;
	void *arg = h->arg;
	bool changed;

	check_end(h);
	snprintf(h->why, sizeof(h->why), "%s", why);
	changed = health_count(&h->tally, &h->spec, !*why, loop_now_ns() - h->started_ns);
	loop_timer_set(h->timer, pause_until_next(h));
	if (changed)
		fn(arg, h->tally.state, h->why);
}

static void failed(struct health *h, const char *what, int error)
{
	char why[96];

	snprintf(why, sizeof(why), "port %u: %s%s%s", h->spec.port, what, error ? ": " : "",
		error ? strerror(error) : "");
	result(h, why);
}

static void take_status(struct health *h, int status)
{
	char why[96];

	if (status >= 200 && status < 400) {
		result(h, "");
		return;
	}
	snprintf(why, sizeof(why), "GET %.40s: status %d", h->spec.path, status);
	result(h, why);
}

static void answered(void *arg, uint32_t events)
{
	struct health *h = arg;
	ssize_t n = recv(h->fd, h->line + h->len, sizeof(h->line) - h->len, 0);
	int status;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		failed(h, "no answer", n < 0 ? errno : 0);
		return;
	}
	h->len += (size_t)n;
	status = health_status(h->line, h->len);
	if (status == -EAGAIN)
		return;
	if (status < 0)
		failed(h, "the answer is not HTTP", 0);
	else
		take_status(h, status);
}

/* The request fits into an empty socket's buffer. */
static void ask(struct health *h)
{
	char request[HEALTH_PATH_BYTES + 128];
	int n = snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: uigniterd\r\nConnection: "
		"close\r\n\r\n",
		h->spec.path);

	loop_io_del(h->io);
	h->io = NULL;
	h->len = 0;
	if (send(h->fd, request, (size_t)n, MSG_NOSIGNAL) != n)
		failed(h, "cannot ask", errno);
	else if (loop_io_add(h->loop, h->fd, EPOLLIN, answered, h, &h->io) < 0)
		failed(h, "cannot ask", ENOMEM);
}

static void connected(void *arg, uint32_t events)
{
	struct health *h = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)events;
	if (getsockopt(h->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error)
		failed(h, "cannot connect", error);
	else if (h->spec.kind == HEALTH_HTTP)
		ask(h);
	else
		result(h, "");
}

static void check(void *arg)
{
	struct health *h = arg;

	if (h->fd >= 0) {
		failed(h, "no answer in time", 0);
		return;
	}
	h->fd = network_socket(h->net, SOCK_STREAM);
	if (h->fd < 0 ||
		(connect(h->fd, (struct sockaddr *)&h->to, sizeof(h->to)) < 0 &&
			errno != EINPROGRESS) ||
		loop_io_add(h->loop, h->fd, EPOLLOUT, connected, h, &h->io) < 0) {
		failed(h, "cannot connect", errno);
		return;
	}
	loop_timer_set(h->timer, (int64_t)h->spec.timeout_ms * NS_PER_MS);
}

int health_new(struct loop *loop, const struct network *net, uint32_t ip,
	const struct health_spec *spec, health_fn *fn, void *arg, struct health **out)
{
	struct health *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	*h = (struct health){.loop = loop,
		.net = net,
		.spec = *spec,
		.fn = fn,
		.arg = arg,
		.fd = -1,
		.started_ns = loop_now_ns(),
		.pause_ns = PAUSE_FIRST_NS,
		.to = {.sin_family = AF_INET,
			.sin_port = htons(spec->port),
			.sin_addr.s_addr = htonl(ip)}};
	r = loop_timer_new(loop, check, h, &h->timer);
	if (r < 0) {
		free(h);
		return r;
	}
	loop_timer_set(h->timer, 0);
	*out = h;
	return 0;
}

void health_free(struct health *h)
{
	if (!h)
		return;
	check_end(h);
	loop_timer_free(h->timer);
	free(h);
}

const char *health_why(const struct health *h)
{
	return h->why;
}
