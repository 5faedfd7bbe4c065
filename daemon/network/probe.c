/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/network/probe.h"

#include "daemon/network/network.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int probe_init(struct probe *p, struct loop *loop, const struct network *net, uint32_t ip,
	uint16_t port, loop_timer_fn *on_timer, void *arg)
{
	*p = (struct probe){.loop = loop,
		.net = net,
		.fd = -1,
		.to = {.sin_family = AF_INET,
			.sin_port = htons(port),
			.sin_addr.s_addr = htonl(ip)}};
	return loop_timer_new(loop, on_timer, arg, &p->timer);
}

void probe_close(struct probe *p)
{
	loop_io_del(p->io);
	p->io = NULL;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

void probe_fini(struct probe *p)
{
	probe_close(p);
	loop_timer_free(p->timer);
	p->timer = NULL;
}

bool probe_is_open(const struct probe *p)
{
	return p->fd >= 0;
}

int probe_connect(struct probe *p, loop_io_fn *connected, void *arg)
{
	int r;

	p->fd = network_socket(p->net, SOCK_STREAM);
	if (p->fd < 0) {
		r = p->fd;
		p->fd = -1;
		return r;
	}
	r = connect(p->fd, (struct sockaddr *)&p->to, sizeof(p->to)) < 0 && errno != EINPROGRESS
		? -errno
		: loop_io_add(p->loop, p->fd, EPOLLOUT, connected, arg, &p->io);
	if (r < 0)
		probe_close(p);
	return r;
}

int probe_error(const struct probe *p)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

/* The request fits into an empty socket's buffer. */
int probe_get(struct probe *p, const char *path, bool http10, loop_io_fn *readable, void *arg)
{
	char request[PROBE_PATH_BYTES + 128];
	int n = snprintf(request, sizeof(request),
		"GET %s HTTP/1.%d\r\nHost: localhost\r\nUser-Agent: uigniterd\r\nConnection: "
		"close\r\n\r\n",
		path, !http10);
	ssize_t sent;

	if (n >= (int)sizeof(request))
		return -ENAMETOOLONG;
	loop_io_del(p->io);
	p->io = NULL;
	sent = send(p->fd, request, (size_t)n, MSG_NOSIGNAL);
	if (sent != n)
		return sent < 0 ? -errno : -EIO;
	return loop_io_add(p->loop, p->fd, EPOLLIN, readable, arg, &p->io);
}
