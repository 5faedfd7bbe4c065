/* SPDX-License-Identifier: Apache-2.0 */
#include "services/common/registry_watch.h"

#include "lib/keepalive.h"
#include "lib/loop.h"
#include "lib/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BRIEF_NS NS_PER_S

struct registry_watch {
	struct loop *loop;
	const struct endpoint *at;
	struct loop_io *io;
	int fd; /* -1: CLOSED */
	bool made;
	int64_t since_ns; /* OPEN */
	registry_lost_fn *lost;
	void *arg;
};

int registry_watch_new(struct loop *loop, const struct endpoint *at, registry_lost_fn *lost,
	void *arg, struct registry_watch **out)
{
	struct registry_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	*w = (struct registry_watch){.loop = loop, .at = at, .fd = -1, .lost = lost, .arg = arg};
	*out = w;
	return 0;
}

static void shut(struct registry_watch *w)
{
	loop_io_del(steal_ptr(&w->io));
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	w->made = false;
}

/* What a server says unasked is nothing to us. */
static bool has_ended(int fd)
{
	char said[256];
	ssize_t n = recv(fd, said, sizeof(said), MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static void on_event(void *arg, uint32_t events)
{
	struct registry_watch *w = arg;
	bool brief = true;

	if (!w->made && !(events & (EPOLLERR | EPOLLHUP)) && loop_io_mod(w->io, EPOLLIN) == 0) {
		w->made = true;
		w->since_ns = loop_now_ns();
		return;
	}
	if (w->made) {
		if (!has_ended(w->fd))
			return;
		brief = loop_now_ns() - w->since_ns < BRIEF_NS;
	}
	shut(w);
	w->lost(w->arg, brief);
}

/* 0: it is not numeric. */
static socklen_t address_of(const struct endpoint *at, struct sockaddr_storage *to)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	*to = (struct sockaddr_storage){0};
	if (inet_pton(AF_INET, at->host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(at->port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, at->host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(at->port);
		return sizeof(*v6);
	}
	return 0;
}

void registry_watch_open(struct registry_watch *w)
{
	struct sockaddr_storage to;
	socklen_t len = address_of(w->at, &to);

	if (w->fd >= 0 || !len)
		return;
	w->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return;
	keepalive_on(w->fd);
	if ((connect(w->fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS) ||
		loop_io_add(w->loop, w->fd, EPOLLOUT, on_event, w, &w->io) < 0)
		shut(w);
}

void registry_watch_free(struct registry_watch *w)
{
	if (!w)
		return;
	shut(w);
	free(w);
}
