/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/app/scrape.h"

#include "daemon/network/network.h"
#include "lib/buf.h"
#include "lib/loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct scrape {
	struct loop *loop;
	int fd, failed; /* failed: before there was anything to wait for */
	struct loop_io *io;
	struct loop_timer *timer;
	struct buf request, answer;
	scrape_fn *fn;
	void *arg;
};

void scrape_cancel(struct scrape *s)
{
	if (!s)
		return;
	loop_io_del(s->io);
	loop_timer_free(s->timer);
	if (s->fd >= 0)
		close(s->fd);
	buf_fini(&s->request);
	buf_fini(&s->answer);
	free(s);
}

static void finish(struct scrape *s, int code)
{
	_cleanup_buf_ struct buf answer = s->answer;
	scrape_fn *fn = s->fn;
	void *arg = s->arg;

	s->answer = (struct buf){0};
	scrape_cancel(s);
	fn(arg, code, answer.data ? answer.data : "", code ? 0 : answer.len);
}

static void on_answer(void *arg, uint32_t events)
{
	struct scrape *s = arg;
	char piece[8 * KIB];
	ssize_t n = recv(s->fd, piece, sizeof(piece), 0);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		finish(s, n < 0 ? -errno : 0);
	else if (s->answer.len + (size_t)n > SCRAPE_BYTES)
		finish(s, -EMSGSIZE);
	else if (buf_add(&s->answer, piece, (size_t)n) < 0)
		finish(s, -ENOMEM);
}

/* The request fits into an empty socket's buffer. */
static void on_connected(void *arg, uint32_t events)
{
	struct scrape *s = arg;
	socklen_t len = sizeof(int);
	int error = 0;

	(void)events;
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (!error &&
		send(s->fd, s->request.data, s->request.len, MSG_NOSIGNAL) !=
			(ssize_t)s->request.len)
		error = EIO;
	loop_io_del(s->io);
	s->io = NULL;
	if (!error && loop_io_add(s->loop, s->fd, EPOLLIN, on_answer, s, &s->io) < 0)
		error = ENOMEM;
	if (error)
		finish(s, -error);
}

static void on_timer(void *arg)
{
	struct scrape *s = arg;

	finish(s, s->failed ? s->failed : -ETIMEDOUT);
}

static int begin(struct scrape *s, const struct network *net, uint32_t ip, uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip)};

	s->fd = network_socket(net, SOCK_STREAM);
	if (s->fd < 0)
		return s->fd;
	if (connect(s->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		return -errno;
	return loop_io_add(s->loop, s->fd, EPOLLOUT, on_connected, s, &s->io);
}

int scrape_start(struct loop *loop, const struct network *net, uint32_t ip, uint16_t port,
	const char *path, scrape_fn *fn, void *arg, struct scrape **out)
{
	struct scrape *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	*s = (struct scrape){.loop = loop, .fd = -1, .fn = fn, .arg = arg};
	r = loop_timer_new(loop, on_timer, s, &s->timer);
	if (r == 0)
		r = buf_printf(&s->request,
			"GET %s HTTP/1.0\r\nHost: localhost\r\nUser-Agent: uigniterd\r\n\r\n",
			path);
	if (r < 0) {
		scrape_cancel(s);
		return r;
	}
	s->failed = begin(s, net, ip, port);
	loop_timer_set(s->timer, s->failed ? 0 : SCRAPE_NS);
	*out = s;
	return 0;
}
