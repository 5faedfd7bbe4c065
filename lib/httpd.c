/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners, connections, time. Each listener is one MHD daemon in external epoll mode: its epoll descriptor is
 * watched by the loop; one loop timer serves all of them. MHD knows only a limit on inactivity, so
 * connections have deadlines of their own here (a client that sends one byte now and then is still cut off): they are checked
 * lazily, when the earliest one that was ever set runs out. A connection is cut by shutdown(2): MHD then
 * sees the end of the stream and closes it itself.
 */
#include "lib/httpd_impl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG       512
#define RUNS_IN_A_ROW 8

/* When MHD wants to run next; INT64_MAX: when its descriptor says so. */
static int64_t daemon_due(const struct httpd_listener *l, int64_t now)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (!l->daemon)
		return INT64_MAX;
	if (l->resumed)
		return now;
	if (MHD_get_timeout(l->daemon, &ms) != MHD_YES)
		return INT64_MAX;
	return now + (int64_t)(ms < INT32_MAX ? ms : INT32_MAX) * NS_PER_MS;
}

void httpd_arm(struct httpd *h)
{
	int64_t now, at = h->sweep_at_ns ? h->sweep_at_ns : INT64_MAX;

	if (h->running)
		return; /* who runs it arms */
	now = loop_now_ns();
	if (h->stopping && h->conn_count == 0)
		at = now;
	else if (h->stopping && h->stop_at_ns < at)
		at = h->stop_at_ns;
	for (size_t i = 0; i < HTTPD_LISTENERS_MAX; i++) {
		int64_t due = daemon_due(&h->listener[i], now);

		at = due < at ? due : at;
	}
	if (at == INT64_MAX)
		return;
	/* A timer that fires early is harmless, one set anew for each request costs system calls. */
	if (h->timer_at_ns && h->timer_at_ns <= at)
		return;
	h->timer_at_ns = at;
	loop_timer_set(h->timer, at - now);
}

/* MHD has to be run again for what its own epoll descriptor does not tell: data it holds already, resumed
 * connections, and a listener that it takes back when a connection has ended below the limit. */
static void run_daemon(struct httpd_listener *l)
{
	struct httpd *h = l->h;

	h->running++;
	for (int i = 0; i < RUNS_IN_A_ROW; i++) {
		unsigned int before = h->conn_count;
		MHD_UNSIGNED_LONG_LONG ms;

		l->resumed = false;
		MHD_run(l->daemon);
		if (!l->resumed && h->conn_count >= before &&
			(MHD_get_timeout(l->daemon, &ms) != MHD_YES || ms > 0))
			break;
	}
	h->running--;
}

static void on_ready(void *arg, uint32_t events)
{
	struct httpd_listener *l = arg;

	(void)events;
	run_daemon(l);
	httpd_arm(l->h);
}

static void cut(struct httpd_conn *conn)
{
	conn->deadline_ns = 0;
	if (conn->req)
		httpd_req_abort(conn->req);
	shutdown(conn->fd, SHUT_RDWR);
}

/* Cuts what is over its deadline; leaves the earliest of the others in sweep_at_ns. */
static void sweep(struct httpd *h, int64_t now)
{
	struct httpd_conn *conn, *next;

	h->sweep_at_ns = httpd_linger_sweep(h, now);
	for (conn = h->conns; conn; conn = next) {
		next = conn->next;
		if (conn->deadline_ns && conn->deadline_ns <= now)
			cut(conn);
		else if (conn->deadline_ns &&
			(!h->sweep_at_ns || conn->deadline_ns < h->sweep_at_ns))
			h->sweep_at_ns = conn->deadline_ns;
	}
}

static void cut_all(struct httpd *h)
{
	struct httpd_conn *next;

	for (struct httpd_conn *conn = h->conns; conn; conn = next) {
		next = conn->next;
		cut(conn);
	}
}

static void on_timer(void *arg)
{
	struct httpd *h = arg;
	int64_t now = loop_now_ns();

	h->timer_at_ns = 0;
	if (h->sweep_at_ns && h->sweep_at_ns <= now)
		sweep(h, now);
	if (h->stopping && h->conn_count && h->stop_at_ns <= now) {
		cut_all(h);
		h->stop_at_ns = now + NS_PER_S;
	}
	for (size_t i = 0; i < HTTPD_LISTENERS_MAX; i++) {
		if (h->listener[i].daemon)
			run_daemon(&h->listener[i]);
	}
	if (h->stopping && h->conn_count == 0) {
		void (*done)(void *) = steal_ptr(&h->stop_done);

		if (done)
			done(h->stop_arg); /* may free h */
		return;
	}
	httpd_arm(h);
}

void httpd_conn_deadline(struct httpd_conn *conn, int64_t in_ns)
{
	struct httpd *h = conn->listener->h;

	conn->deadline_ns = in_ns ? loop_now_ns() + in_ns : 0;
	if (in_ns && (!h->sweep_at_ns || conn->deadline_ns < h->sweep_at_ns))
		h->sweep_at_ns = conn->deadline_ns;
}

static void conn_open(struct httpd_listener *l, struct MHD_Connection *mhd, void **ctx)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct httpd_conn *conn = calloc(1, sizeof(*conn));

	*ctx = conn;
	if (!conn)
		return; /* httpd_req_begin() then makes no request: MHD closes */
	*conn = (struct httpd_conn){.listener = l, .fd = info->connect_fd, .next = l->h->conns};
	if (conn->next)
		conn->next->prev = conn;
	l->h->conns = conn;
	l->h->conn_count++;
	httpd_conn_deadline(conn, l->h->cfg.head_timeout_s * NS_PER_S);
}

static void conn_close(struct httpd_listener *l, struct httpd_conn *conn)
{
	if (!conn)
		return;
	/* MHD does not say so when a request ends between its first line and the end of its headers. */
	if (conn->req)
		httpd_req_end(conn->req, false);
	if (conn->linger)
		httpd_linger_begin(conn);
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		l->h->conns = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	l->h->conn_count--;
	free(conn);
}

static void on_conn(
	void *arg, struct MHD_Connection *mhd, void **ctx, enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		conn_open(arg, mhd, ctx);
	else
		conn_close(arg, steal_ptr((struct httpd_conn **)ctx));
}

/* Targets are decoded by httpd_path.c, arguments here. */
static size_t unescape(void *arg, struct MHD_Connection *mhd, char *s)
{
	int n;

	(void)arg;
	(void)mhd;
	n = httpd_unescape(s, strlen(s), s);
	return n < 0 ? strlen(s) : (size_t)n;
}

static struct httpd_listener *free_listener(struct httpd *h)
{
	for (size_t i = 0; i < HTTPD_LISTENERS_MAX; i++) {
		if (!h->listener[i].daemon)
			return &h->listener[i];
	}
	return NULL;
}

/* Takes fd (closed on failure). */
static int start(struct httpd *h, int fd, uint16_t port, const char *path, struct err *err)
{
	struct httpd_listener *l = free_listener(h);
	const union MHD_DaemonInfo *info;
	int r;

	if (!l) {
		close(fd);
		return err_set(err, EMFILE, "too many listeners");
	}
	*l = (struct httpd_listener){
		.h = h, .fd = fd, .port = port, .path = path ? strdup(path) : NULL};
	l->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		httpd_req_access, l, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_CONNECTION_LIMIT,
		h->cfg.max_connections, MHD_OPTION_CONNECTION_TIMEOUT, h->cfg.idle_timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, h->cfg.conn_memory_bytes,
		MHD_OPTION_URI_LOG_CALLBACK, httpd_req_begin, l, MHD_OPTION_UNESCAPE_CALLBACK,
		unescape, NULL, MHD_OPTION_NOTIFY_COMPLETED, httpd_req_completed, l,
		MHD_OPTION_NOTIFY_CONNECTION, on_conn, l, MHD_OPTION_END);
	if (!l->daemon) {
		close(fd);
		free(steal_ptr(&l->path));
		return err_set(err, ENOMEM, "cannot start the HTTP server");
	}
	info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	r = info ? loop_io_add(h->loop, info->epoll_fd, EPOLLIN, on_ready, l, &l->io) : -EINVAL;
	if (r < 0) {
		MHD_stop_daemon(steal_ptr(&l->daemon));
		free(steal_ptr(&l->path));
		return err_sys(err, -r, "cannot watch the HTTP server");
	}
	return 0;
}

int httpd_listen_tcp(struct httpd *h, const char *address, uint16_t port, struct err *err)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	const char *text = address ? address : "0.0.0.0";
	bool six = inet_pton(AF_INET6, text, &sin6.sin6_addr) == 1;
	_cleanup_close_ int fd = -1;
	socklen_t len = six ? sizeof(sin6) : sizeof(sin);
	void *sa = six ? (void *)&sin6 : (void *)&sin;
	int one = 1;

	if (!six && inet_pton(AF_INET, text, &sin.sin_addr) != 1)
		return err_set(err, EINVAL, "\"%s\" is not a numeric address", text);
	fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, errno, "cannot make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, sa, len) < 0 || listen(fd, BACKLOG) < 0)
		return err_sys(err, errno, "cannot listen on %s port %u", text, port);
	if (getsockname(fd, sa, &len) < 0)
		return err_sys(err, errno, "cannot read the own port");
	return start(h, steal_fd(&fd), ntohs(six ? sin6.sin6_port : sin.sin_port), NULL, err);
}

int httpd_listen_fd(struct httpd *h, int fd, struct err *err)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);
	uint16_t port = 0;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0) {
		int code = errno;

		close(fd);
		return err_sys(err, code, "cannot use the inherited socket");
	}
	if (ss.ss_family == AF_INET)
		port = ntohs(((struct sockaddr_in *)(void *)&ss)->sin_port);
	else if (ss.ss_family == AF_INET6)
		port = ntohs(((struct sockaddr_in6 *)(void *)&ss)->sin6_port);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return start(h, fd, port, NULL, err);
}

/* Removes what a dead server left: 0 when the path is free now. */
static int clear_stale(const struct sockaddr_un *sun)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (lstat(sun->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0 || errno != ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(sun->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

int httpd_listen_unix(struct httpd *h, const char *path, mode_t mode, struct err *err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	_cleanup_close_ int fd = -1;
	mode_t old;
	int r;

	if (len >= sizeof(sun.sun_path))
		return err_set(err, ENAMETOOLONG, "the socket path \"%s\" is longer than %zu bytes",
			path, sizeof(sun.sun_path) - 1);
	memcpy(sun.sun_path, path, len + 1);
	r = clear_stale(&sun);
	if (r < 0)
		return err_sys(err, -r, "cannot listen on %s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, errno, "cannot make a socket");
	old = umask(0177);
	r = bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ? -errno : 0;
	umask(old);
	if (r < 0)
		return err_sys(err, -r, "cannot listen on %s", path);
	if (chmod(path, mode) < 0 || listen(fd, BACKLOG) < 0) {
		r = errno;
		unlink(path);
		return err_sys(err, r, "cannot listen on %s", path);
	}
	r = start(h, steal_fd(&fd), 0, path, err);
	if (r < 0)
		unlink(path);
	return r;
}

int httpd_new(const struct httpd_config *config, struct httpd **out, struct err *err)
{
	struct httpd *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return err_set(err, ENOMEM, "out of memory");
	h->cfg = *config;
	h->loop = config->loop;
	h->cfg.max_connections = config->max_connections ?: 256;
	h->cfg.idle_timeout_s = config->idle_timeout_s ?: 60;
	h->cfg.head_timeout_s = config->head_timeout_s ?: 15;
	h->cfg.body_timeout_s = config->body_timeout_s ?: 300;
	h->cfg.conn_memory_bytes = config->conn_memory_bytes ?: 16 * KIB;
	h->cfg.drain_max_bytes = config->drain_max_bytes ?: 16 * MIB;
	r = loop_timer_new(h->loop, on_timer, h, &h->timer);
	if (r < 0) {
		free(h);
		return err_set(err, -r, "out of memory");
	}
	signal(SIGPIPE, SIG_IGN);
	*out = h;
	return 0;
}

uint16_t httpd_port(const struct httpd *h)
{
	for (size_t i = 0; i < HTTPD_LISTENERS_MAX; i++) {
		if (h->listener[i].port)
			return h->listener[i].port;
	}
	return 0;
}

unsigned int httpd_connections(const struct httpd *h)
{
	return h->conn_count;
}

unsigned int httpd_requests(const struct httpd *h)
{
	return h->req_count;
}

static void close_listener(struct httpd_listener *l)
{
	if (l->fd >= 0 && MHD_quiesce_daemon(l->daemon) >= 0) {
		if (l->path)
			unlink(l->path);
		close(l->fd);
	}
	l->fd = -1;
}

void httpd_stop(struct httpd *h, int64_t grace_ms, void (*done)(void *arg), void *arg)
{
	if (h->stopping)
		return;
	h->stopping = true;
	h->stop_at_ns = loop_now_ns() + grace_ms * NS_PER_MS;
	h->stop_done = done;
	h->stop_arg = arg;
	for (size_t i = 0; i < HTTPD_LISTENERS_MAX; i++) {
		if (h->listener[i].daemon)
			close_listener(&h->listener[i]);
	}
	for (struct httpd_conn *conn = h->conns; conn; conn = conn->next) {
		if (!conn->req)
			shutdown(conn->fd, SHUT_RDWR);
	}
	httpd_arm(h);
}

/* Teardown: first every deferred request is given up and resumed (MHD refuses to stop with suspended
 * connections), then MHD runs once more to see that, then it closes what is left and calls us back for each. */
void httpd_free(struct httpd *h)
{
	if (!h)
		return;
	h->stopping = true;
	cut_all(h);
	for (size_t i = 0; i < HTTPD_LISTENERS_MAX; i++) {
		struct httpd_listener *l = &h->listener[i];

		if (!l->daemon)
			continue;
		loop_io_del(l->io);
		close_listener(l);
		run_daemon(l);
		MHD_stop_daemon(l->daemon);
		free(l->path);
	}
	httpd_linger_sweep(h, INT64_MAX);
	loop_timer_free(h->timer);
	free(h);
}
