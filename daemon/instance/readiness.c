/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/instance/readiness.h"

#include "daemon/network/network.h"
#include "lib/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define PAUSE_FIRST_NS (1 * NS_PER_MS)
#define PAUSE_MAX_NS   (1 * NS_PER_S)
/* TCP itself would ask again after 1 s only. On a machine with much other work an answer may take longer than this: so an attempt
 * has a quarter of the time that went by so far, when that is more. */
#define ATTEMPT_NS   (250 * NS_PER_MS)
#define ATTEMPT_PART 4

struct readiness {
	struct loop *loop;
	const struct network *net;
	struct sockaddr_in to;
	void (*fn)(void *arg);
	void *arg;
	int fd; /* of the attempt under way; -1 */
	struct loop_io *io;
	struct loop_timer *timer;
	int64_t pause_ns;
	int64_t since_ns; /* of the first attempt */
};

static void attempt_end(struct readiness *r)
{
	loop_io_del(r->io);
	r->io = NULL;
	if (r->fd >= 0)
		close(r->fd); /* an ordinary end: the program sees a client that says nothing */
	r->fd = -1;
}

static void again_later(struct readiness *r)
{
	attempt_end(r);
	loop_timer_set(r->timer, r->pause_ns);
	r->pause_ns = r->pause_ns * 2 > PAUSE_MAX_NS ? PAUSE_MAX_NS : r->pause_ns * 2;
}

static void connected(void *arg, uint32_t events)
{
	struct readiness *r = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)events;
	if (getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error) {
		again_later(r);
		return;
	}
	attempt_end(r);
	loop_timer_cancel(r->timer);
	r->fn(r->arg);
}

static int64_t patience_ns(const struct readiness *r)
{
	int64_t part_ns = (loop_now_ns() - r->since_ns) / ATTEMPT_PART;

	return part_ns > ATTEMPT_NS ? part_ns : ATTEMPT_NS;
}

static void attempt(void *arg)
{
	struct readiness *r = arg;

	if (r->fd >= 0) { /* no answer in time */
		again_later(r);
		return;
	}
	r->fd = network_socket(r->net, SOCK_STREAM);
	if (r->fd < 0 ||
		(connect(r->fd, (struct sockaddr *)&r->to, sizeof(r->to)) < 0 &&
			errno != EINPROGRESS) ||
		loop_io_add(r->loop, r->fd, EPOLLOUT, connected, r, &r->io) < 0) {
		again_later(r);
		return;
	}
	loop_timer_set(r->timer, patience_ns(r));
}

int readiness_new(struct loop *loop, const struct network *net, uint32_t ip, uint16_t port,
	void (*fn)(void *arg), void *arg, struct readiness **out)
{
	struct readiness *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	*r = (struct readiness){.loop = loop,
		.net = net,
		.fn = fn,
		.arg = arg,
		.fd = -1,
		.pause_ns = PAUSE_FIRST_NS,
		.since_ns = loop_now_ns(),
		.to = {.sin_family = AF_INET,
			.sin_port = htons(port),
			.sin_addr.s_addr = htonl(ip)}};
	err = loop_timer_new(loop, attempt, r, &r->timer);
	if (err < 0) {
		free(r);
		return err;
	}
	loop_timer_set(r->timer, 0);
	*out = r;
	return 0;
}

void readiness_free(struct readiness *r)
{
	if (!r)
		return;
	attempt_end(r);
	loop_timer_free(r->timer);
	free(r);
}
