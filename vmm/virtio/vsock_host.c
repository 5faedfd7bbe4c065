/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side: connections that its programs make, and those that the guest asks for. The latter are made by a thread of their own,
 * "dialer": connecting may wait for a program that is slow to accept, and in the sandbox it needs what nobody else shall have,
 * to make sockets and to name them. The thread's root is the folder of the device's socket, so that all it can reach are sockets
 * in there; it is the folder's owner, as a shared folder's thread is, and its network namespace is empty.
 */
#include "vmm/virtio/vsock_impl.h"

#include "abi/virtio.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/util.h"
#include "vmm/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define EVENTS       64
#define DIAL_WAIT_US 1000000 /* a program whose queue is full for so long refuses */
#define SPARE_FILES  64u
#define ACCEPTS_MAX  32u /* at one go */

/* --- the thread that connects ---------------------------------------------------------------------------------- */
struct dial {
	struct io_job io; /* first */
	const char *name;
	uint64_t id; /* of the connection */
	uint32_t guest_port, host_port;
	int fd; /* or -errno */
};

static int enter(void *arg)
{
	const struct vsock_dev *v = arg;
	struct stat st;

	/* Names are looked up in the folder: a path of any length fits. */
	if (fstat(v->folder_fd, &st) < 0 || unshare(CLONE_FS) < 0 || fchdir(v->folder_fd) < 0)
		return -errno;
	return sandbox_enter_in(SANDBOX_VSOCK, st.st_uid, st.st_gid, v->folder_fd);
}

static int connect_to(const char *name, uint32_t port)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct timeval wait = {.tv_usec = DIAL_WAIT_US % 1000000, .tv_sec = DIAL_WAIT_US / 1000000};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int n = snprintf(sun.sun_path, sizeof(sun.sun_path), "%s_%u", name, port);

	if (fd < 0)
		return -errno;
	if (n < 0 || (size_t)n >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0 ||
		connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
		fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return steal_fd(&fd);
}

/* On the thread. */
static void run(struct io_job *io)
{
	struct dial *d = (struct dial *)(void *)io;

	d->fd = connect_to(d->name, d->host_port);
}

int vsock_host_dial(struct vsock_dev *v, const struct vsock_conn *c)
{
	struct dial *d = v->ndials < VSOCK_CONNS_MAX ? malloc(sizeof(*d)) : NULL;

	if (!d)
		return -EAGAIN;
	*d = (struct dial){.io.run = run,
		.name = v->name,
		.id = c->id,
		.guest_port = c->guest_port,
		.host_port = c->host_port,
		.fd = -1};
	v->ndials++;
	io_thread_submit(&v->dialer, &d->io);
	return 0;
}

/* For edges. */
static int watch_conn(struct vsock_dev *v, struct vsock_conn *c)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = c};

	return epoll_ctl(v->epoll_fd, EPOLL_CTL_ADD, c->fd, &e) < 0 ? -errno : 0;
}

/* The guest may have given up meanwhile, and be at another connection with the same ports. */
static void dialed(struct vsock_dev *v, struct dial *d)
{
	struct vsock_conn *c = vsock_find(v, d->guest_port, d->host_port);

	if (!c || c->id != d->id || c->state != VSOCK_DIALING) {
		if (d->fd >= 0)
			close(d->fd);
		return;
	}
	c->fd = d->fd >= 0 ? d->fd : -1;
	if (c->fd < 0 || watch_conn(v, c) < 0) {
		vsock_conn_reset(v, c);
		return;
	}
	c->state = VSOCK_OPEN;
	c->readable = true;
	c->want |= VSOCK_WANT_RESPONSE;
	vsock_update(v, c);
}

static void forget_dials(struct vsock_dev *v, struct io_job *io)
{
	struct io_job *next;

	for (; io; io = next) {
		struct dial *d = (struct dial *)(void *)io;

		next = io->next;
		if (d->fd >= 0)
			close(d->fd);
		v->ndials--;
		free(d);
	}
}

static void collect_dials(struct vsock_dev *v)
{
	struct io_job *io = io_thread_collect(&v->dialer), *next;

	for (; io; io = next) {
		struct dial *d = (struct dial *)(void *)io;

		next = io->next;
		dialed(v, d);
		v->ndials--;
		free(d);
	}
}

/* --- connections of the host ----------------------------------------------------------------------------------- */
static void accept_all(struct vsock_dev *v)
{
	for (unsigned i = 0; i < ACCEPTS_MAX && v->accepting; i++) {
		int fd = accept4(v->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct vsock_conn *c;

		if (fd < 0) {
			v->accepting =
				false; /* without a descriptor too: an end of another one says again */
			return;
		}
		c = vsock_conn_new(v, VSOCK_GREETING, 0, 0, fd);
		if (c && watch_conn(v, c) < 0)
			vsock_conn_free(v, c);
	}
}

/* A byte at a time: what is behind the line is the guest's. 1: the line is there, 0: not yet, or -errno. */
static int read_line(struct vsock_conn *c)
{
	while (c->line_len < VSOCK_LINE_MAX - 1) {
		ssize_t n = read(c->fd, c->line + c->line_len, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN ? 0 : -ECONNRESET;
		if (c->line[c->line_len] == '\n') {
			c->line[c->line_len] = '\0';
			return 1;
		}
		c->line_len++;
	}
	return -EMSGSIZE;
}

static int port_of(const char *line, uint32_t *port)
{
	unsigned long long n;
	char *end;

	if (strncasecmp(line, "CONNECT ", 8) != 0 || line[8] < '0' || line[8] > '9')
		return -EINVAL;
	n = strtoull(line + 8, &end, 10);
	if (*end || n >= UINT32_MAX)
		return -EINVAL;
	*port = (uint32_t)n;
	return 0;
}

/* A port of the host that no connection with this port of the guest has. */
static uint32_t free_port(struct vsock_dev *v, uint32_t guest_port)
{
	do
		v->next_host_port = (v->next_host_port + 1) | 1u << 30;
	while (v->next_host_port == UINT32_MAX || vsock_find(v, guest_port, v->next_host_port));
	return v->next_host_port;
}

void vsock_host_greeting(struct vsock_dev *v, struct vsock_conn *c)
{
	int r = read_line(c);

	if (r == 0)
		return;
	if (r < 0 || port_of(c->line, &c->guest_port) < 0) {
		vsock_conn_free(v, c);
		return;
	}
	c->host_port = free_port(v, c->guest_port);
	vsock_conn_hash(v, c);
	c->state = VSOCK_ASKING;
	c->want |= VSOCK_WANT_REQUEST;
	vsock_update(v, c);
}

bool vsock_host_confirm(const struct vsock_conn *c)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "OK %u\n", c->host_port);

	return write(c->fd, text, (size_t)n) == n; /* the first bytes of an empty socket */
}

/* --- news ------------------------------------------------------------------------------------------------------ */
void vsock_host_collect(struct vsock_dev *v)
{
	struct epoll_event event[EVENTS];
	bool dials = false;
	int n;

	do {
		n = epoll_wait(v->epoll_fd, event, EVENTS, 0);
		for (int i = 0; i < n; i++) {
			if (event[i].data.ptr == &v->listen_fd)
				v->accepting = true;
			else if (event[i].data.ptr == &v->dialer)
				dials = true;
			else
				vsock_conn_event(v, event[i].data.ptr, event[i].events);
		}
		if (dials)
			collect_dials(v);
		dials = false;
		accept_all(v);
	} while (n == EVENTS);
}

/* --- start and end --------------------------------------------------------------------------------------------- */
static int watch(struct vsock_dev *v, int fd, void *what, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = what};

	return epoll_ctl(v->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/* A descriptor for each connection, as far as the hard limit goes. */
static void raise_limit(void)
{
	rlim_t want = VSOCK_CONNS_MAX + SPARE_FILES;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	want += files.rlim_cur;
	files.rlim_cur = files.rlim_max < want ? files.rlim_max : want;
	setrlimit(RLIMIT_NOFILE, &files);
}

int vsock_host_init(struct vsock_dev *v, const struct vsock_setup *setup, struct err *err)
{
	int r;

	v->name = strdup(setup->name);
	v->listen_fd = fcntl(setup->listen_fd, F_DUPFD_CLOEXEC, 0);
	v->folder_fd = fcntl(setup->folder_fd, F_DUPFD_CLOEXEC, 0);
	v->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!v->name || v->listen_fd < 0 || v->folder_fd < 0 || v->epoll_fd < 0)
		return err_sys(err, errno, "sockets");
	raise_limit();
	r = io_thread_init(&v->dialer, enter, v, err);
	if (r < 0)
		return r;
	r = watch(v, v->listen_fd, &v->listen_fd, EPOLLIN | EPOLLET);
	if (r == 0)
		r = watch(v, v->dialer.done_fd, &v->dialer, EPOLLIN | EPOLLET);
	return r < 0 ? err_sys(err, -r, "epoll") : 0;
}

void vsock_host_fini(struct vsock_dev *v)
{
	if (v->dialer.begin) { /* was begun */
		struct io_job *todo = io_thread_drop(&v->dialer);

		forget_dials(v, todo);
		io_thread_settle(&v->dialer);
		forget_dials(v, io_thread_collect(&v->dialer));
		io_thread_fini(&v->dialer);
	}
	if (v->listen_fd >= 0)
		close(v->listen_fd);
	if (v->folder_fd >= 0)
		close(v->folder_fd);
	if (v->epoll_fd >= 0)
		close(v->epoll_fd);
	free(v->name);
}
