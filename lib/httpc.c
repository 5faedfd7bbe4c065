/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call is one easy handle in the client's multi handle. libcurl tells which sockets to watch and when to be woken
 * (on_socket, on_timeout); after each step finished calls are taken out and their done() is called, outside of
 * libcurl, so that done() may start and cancel calls.
 *
 * A socket that can not be watched fails its call and no other: libcurl, told of it by the callback's result, would give up the
 * whole client. The call is marked and taken out by a timer, since libcurl may not be called from its own callbacks.
 */
#include "lib/httpc.h"
#include "lib/loop.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define BUFFER_BYTES       (16 * KIB)
#define KEPT_CONNECTIONS   32l
#define HOST_CONNECTIONS   64
#define CONNECT_TIMEOUT_MS 2000
#define MAX_BYTES          (1 * MIB)

struct part_reader {
	const char *data; /* borrowed */
	size_t len, at;
};

struct httpc_call {
	struct httpc *client; /* NULL: synchronous */
	CURL *easy;
	struct curl_slist *headers;
	curl_mime *mime;
	struct part_reader reader[HTTPC_PARTS_MAX];
	int body_fd;
	uint64_t body_len,
		body_at; /* of body_fd; libcurl would read on beyond the announced length */
	struct buf body;
	int refused;   /* -EMSGSIZE or -ECANCELED: why a callback broke off */
	int unwatched; /* -errno: its socket can not be watched; 0 */
	bool head_done;
	size_t head_bytes;
	char error[CURL_ERROR_SIZE];
	int (*socket)(void *arg);
	ssize_t (*on_read)(void *arg, void *out, size_t max);
	int (*on_head)(void *arg, const struct httpc_response *response);
	int (*on_data)(void *arg, int status, const void *data, size_t len);
	void (*done)(void *arg, const struct httpc_response *response);
	void *arg;
	struct httpc_call *prev, *next;
};

struct httpc {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer *timer, *unwatched_timer;
	struct httpc_call *calls;
};

struct sock {
	struct loop_io *io;
	struct httpc *client;
	curl_socket_t fd;
};

static int status_of(const struct httpc_call *call)
{
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

/* --- bodies ---------------------------------------------------------------------------------------------------- */
static size_t on_write(char *data, size_t size, size_t count, void *arg)
{
	struct httpc_call *call = arg;
	size_t len = size * count;

	if (call->on_data) {
		int r = call->on_data(call->arg, status_of(call), data, len);

		if (r == -EAGAIN)
			return CURL_WRITEFUNC_PAUSE;
		call->refused = r < 0 ? -ECANCELED : 0;
		return call->refused ? 0 : len;
	}
	call->refused = buf_add(&call->body, data, len);
	return call->refused < 0 ? 0 : len;
}

static size_t on_part_read(char *out, size_t size, size_t count, void *arg)
{
	struct part_reader *r = arg;
	size_t n = r->len - r->at;

	if (n > size * count)
		n = size * count;
	if (n)
		memcpy(out, r->data + r->at, n);
	r->at += n;
	return n;
}

static int on_part_seek(void *arg, curl_off_t offset, int origin)
{
	struct part_reader *r = arg;

	if (origin != SEEK_SET || offset < 0 || (size_t)offset > r->len)
		return CURL_SEEKFUNC_CANTSEEK;
	r->at = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

static size_t on_file_read(char *out, size_t size, size_t count, void *arg)
{
	struct httpc_call *call = arg;
	uint64_t left = call->body_len - call->body_at;
	size_t max = size * count < left ? size * count : left;
	ssize_t n = pread(call->body_fd, out, max, (off_t)call->body_at);

	if (n < 0 || (n == 0 && max))
		return CURL_READFUNC_ABORT; /* also a file that has become shorter */
	call->body_at += (uint64_t)n;
	return (size_t)n;
}

static int on_file_seek(void *arg, curl_off_t offset, int origin)
{
	struct httpc_call *call = arg;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > call->body_len)
		return CURL_SEEKFUNC_CANTSEEK;
	call->body_at = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static size_t on_stream_read(char *out, size_t size, size_t count, void *arg)
{
	struct httpc_call *call = arg;
	ssize_t n = call->on_read(call->arg, out, size * count);

	if (n == -EAGAIN)
		return CURL_READFUNC_PAUSE;
	if (n < 0) {
		call->refused = -ECANCELED;
		return CURL_READFUNC_ABORT;
	}
	return (size_t)n;
}

static struct httpc_response response_of(struct httpc_call *call, CURLcode result);

/* Line by line; behind the head come trailers, which nobody asks for. */
static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	struct httpc_call *call = arg;
	size_t len = size * count;
	struct httpc_response head;

	call->head_bytes += len;
	if (call->head_bytes > HTTPC_HEAD_MAX_BYTES) {
		call->refused = -EMSGSIZE;
		return 0;
	}
	if (call->head_done || len > 2 || (line[0] != '\r' && line[0] != '\n') ||
		status_of(call) < 200)
		return len;
	call->head_done = true;
	head = response_of(call, CURLE_OK);
	if (call->on_head(call->arg, &head) >= 0)
		return len;
	call->refused = -ECANCELED;
	return 0;
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct httpc_call *call = arg;
	int fd = address->family == AF_INET ? call->socket(call->arg) : -EAFNOSUPPORT;

	(void)purpose;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int add_parts(struct httpc_call *call, const struct httpc_request *q)
{
	if (q->part_count > HTTPC_PARTS_MAX)
		return -E2BIG;
	call->mime = curl_mime_init(call->easy);
	if (!call->mime)
		return -ENOMEM;
	for (size_t i = 0; i < q->part_count; i++) {
		const struct httpc_part *p = &q->parts[i];
		curl_mimepart *part = curl_mime_addpart(call->mime);

		call->reader[i] = (struct part_reader){.data = p->data, .len = p->len};
		if (!part || curl_mime_name(part, p->name) ||
			(p->filename && curl_mime_filename(part, p->filename)) ||
			(p->type && curl_mime_type(part, p->type)) ||
			curl_mime_data_cb(part, (curl_off_t)p->len, on_part_read, on_part_seek,
				NULL, &call->reader[i]))
			return -ENOMEM;
	}
	curl_easy_setopt(call->easy, CURLOPT_MIMEPOST, call->mime);
	return 0;
}

static int add_body(struct httpc_call *call, const struct httpc_request *q)
{
	const char *method = q->method ? q->method : "GET";
	CURL *easy = call->easy;

	if (q->on_read && q->read_len != 0) {
		curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_stream_read);
		curl_easy_setopt(easy, CURLOPT_READDATA, call);
		curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->read_len);
	} else if (q->part_count) {
		int r = add_parts(call, q);

		if (r < 0)
			return r;
	} else if (q->body_fd_len) {
		call->body_fd = q->body_fd;
		call->body_len = q->body_fd_len;
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_file_read);
		curl_easy_setopt(easy, CURLOPT_READDATA, call);
		curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_file_seek);
		curl_easy_setopt(easy, CURLOPT_SEEKDATA, call);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_fd_len);
	} else if (q->len || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, q->len ? q->body : "");
	} else if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
	return 0;
}

static bool has_header(const struct httpc_request *q, const char *name)
{
	size_t len = strlen(name);

	for (const char *const *h = q->headers; h && *h; h++) {
		if (strncasecmp(*h, name, len) == 0)
			return true;
	}
	return false;
}

/* A name without a value is left out. */
static int leave_out(struct httpc_call *call, const struct httpc_request *q, const char *name)
{
	struct curl_slist *list;

	if (has_header(q, name))
		return 0;
	list = curl_slist_append(call->headers, name);
	if (!list)
		return -ENOMEM;
	call->headers = list;
	return 0;
}

static int add_headers(struct httpc_call *call, const struct httpc_request *q)
{
	for (const char *const *h = q->headers; h && *h; h++) {
		struct curl_slist *list = curl_slist_append(call->headers, *h);

		if (!list)
			return -ENOMEM;
		call->headers = list;
	}
	/* curl's own guess for a plain body would be a form. */
	if (((q->len && !q->part_count) || q->no_defaults) &&
		leave_out(call, q, "Content-Type:") < 0)
		return -ENOMEM;
	if (q->no_defaults &&
		(leave_out(call, q, "Accept:") < 0 || leave_out(call, q, "Expect:") < 0))
		return -ENOMEM;
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
	return 0;
}

/* --- calls ------------------------------------------------------------------------------------------------------ */
static void call_free(struct httpc_call *call)
{
	if (!call)
		return;
	if (call->easy)
		curl_easy_cleanup(call->easy);
	curl_mime_free(call->mime);
	curl_slist_free_all(call->headers);
	buf_fini(&call->body);
	free(call);
}

static void cleanup_call(struct httpc_call **call)
{
	call_free(*call);
}

static void set_options(struct httpc_call *call, const struct httpc_request *q)
{
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_URL, q->url);
	if (q->unix_path)
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, q->unix_path);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_BYTES);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)q->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(q->connect_timeout_ms ?: CONNECT_TIMEOUT_MS));
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
}

static void set_proxy_options(struct httpc_call *call, const struct httpc_request *q)
{
	CURL *easy = call->easy;

	if (q->target)
		curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, q->target);
	if (q->own_connection) {
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
		curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	}
	if (q->socket) {
		curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
		curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
	}
	if (q->on_head) {
		curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
		curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	}
}

static int call_new(const struct httpc_request *q, struct httpc_call **out)
{
	_cleanup_(cleanup_call) struct httpc_call *call = calloc(1, sizeof(*call));
	int r;

	if (!call)
		return -ENOMEM;
	call->easy = curl_easy_init();
	if (!call->easy)
		return -ENOMEM;
	buf_init(&call->body, q->max_bytes ?: MAX_BYTES);
	call->on_data = q->on_data;
	call->on_read = q->on_read;
	call->on_head = q->on_head;
	call->socket = q->socket;
	call->arg = q->arg;
	call->done = q->done;
	set_options(call, q);
	set_proxy_options(call, q);
	r = add_body(call, q);
	if (r == 0)
		r = add_headers(call, q);
	if (r < 0)
		return r;
	*out = steal_ptr(&call);
	return 0;
}

static int code_of(CURLcode result, const struct httpc_call *call)
{
	if (call->unwatched)
		return call->unwatched;
	if (result == CURLE_OK)
		return 0;
	if (call->refused)
		return call->refused;
	if (result == CURLE_COULDNT_CONNECT) {
		long os = 0;

		curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os);
		return os == ENOENT || os == EACCES ? -(int)os : -ECONNREFUSED;
	}
	if (result == CURLE_COULDNT_RESOLVE_HOST)
		return -ECONNREFUSED;
	if (result == CURLE_OPERATION_TIMEDOUT)
		return -ETIMEDOUT;
	if (result == CURLE_URL_MALFORMAT || result == CURLE_UNSUPPORTED_PROTOCOL)
		return -EINVAL;
	if (result == CURLE_OUT_OF_MEMORY)
		return -ENOMEM;
	return -EIO;
}

static struct httpc_response response_of(struct httpc_call *call, CURLcode result)
{
	struct httpc_response resp = {.code = code_of(result, call), .call = call, .error = ""};

	if (resp.code == 0)
		resp.status = status_of(call);
	else if (call->unwatched)
		resp.error = "its socket can not be watched";
	else if (resp.code == -EMSGSIZE)
		resp.error = "the answer is larger than allowed";
	else
		resp.error = call->error[0] ? call->error : curl_easy_strerror(result);
	resp.body = call->body.data ? call->body.data : "";
	resp.len = call->body.len;
	return resp;
}

const char *httpc_header(const struct httpc_response *response, const char *name)
{
	struct curl_header *h;

	if (curl_easy_header(response->call->easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
		return NULL;
	return h->value;
}

void httpc_each_header(const struct httpc_response *response, httpc_header_fn *fn, void *arg)
{
	struct curl_header *h = NULL;

	while ((h = curl_easy_nextheader(response->call->easy, CURLH_HEADER, -1, h))) {
		if (!fn(arg, h->name, h->value))
			return;
	}
}

static void unlink_call(struct httpc_call *call)
{
	if (call->prev)
		call->prev->next = call->next;
	else
		call->client->calls = call->next;
	if (call->next)
		call->next->prev = call->prev;
	curl_multi_remove_handle(call->client->multi, call->easy);
}

static void finish(struct httpc_call *call, CURLcode result)
{
	struct httpc_response resp;

	unlink_call(call);
	resp = response_of(call, result);
	if (call->done)
		call->done(call->arg, &resp);
	call_free(call);
}

static void reap(struct httpc *client)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(client->multi, &left))) {
		CURLcode result = msg->data.result;
		struct httpc_call *call;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call);
		finish(call, result);
	}
}

/* --- libcurl and the loop ---------------------------------------------------------------------------------------- */
static void on_fd(void *arg, uint32_t events)
{
	struct sock *s = arg;
	struct httpc *client = s->client; /* s may be freed by libcurl's answer */
	int mask = 0, running;

	if (events & (EPOLLIN | EPOLLHUP))
		mask |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		mask |= CURL_CSELECT_ERR;
	curl_multi_socket_action(client->multi, s->fd, mask, &running);
	reap(client);
}

static void on_timer(void *arg)
{
	struct httpc *client = arg;
	int running;

	curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	reap(client);
}

static int on_timeout(CURLM *multi, long ms, void *arg)
{
	struct httpc *client = arg;

	(void)multi;
	if (ms < 0)
		loop_timer_cancel(client->timer);
	else
		loop_timer_set(client->timer, ms * NS_PER_MS);
	return 0;
}

static void fail_unwatched(void *arg)
{
	struct httpc *client = arg;
	struct httpc_call *call = client->calls;

	while (call) {
		if (!call->unwatched) {
			call = call->next;
			continue;
		}
		finish(call, CURLE_COULDNT_CONNECT);
		call = client->calls; /* done() may have cancelled any */
	}
}

/* easy is one of ours: libcurl's own, which close connections, watch no sockets. */
static void note_unwatched(struct httpc *client, CURL *easy, int error)
{
	struct httpc_call *call = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
	if (!call)
		return;
	call->unwatched = error;
	loop_timer_set(client->unwatched_timer, 0);
}

static int watch(struct httpc *client, curl_socket_t fd, uint32_t events)
{
	struct sock *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	*s = (struct sock){.client = client, .fd = fd};
	r = loop_io_add(client->loop, fd, events, on_fd, s, &s->io);
	if (r < 0)
		free(s);
	else
		curl_multi_assign(client->multi, fd, s);
	return r;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock)
{
	struct httpc *client = arg;
	struct sock *s = sock;
	uint32_t events = 0;
	int r;

	if (what == CURL_POLL_REMOVE) {
		if (s)
			loop_io_del(s->io);
		curl_multi_assign(client->multi, fd, NULL);
		free(s);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	r = s ? loop_io_mod(s->io, events) : watch(client, fd, events);
	if (r < 0)
		note_unwatched(client, easy, r);
	return 0;
}

static int global_init(struct err *err)
{
	static bool done;

	if (!done && curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
		return err_set(err, ENOMEM, "cannot start the HTTP client");
	done = true;
	return 0;
}

int httpc_new(
	struct loop *loop, unsigned int max_host_connections, struct httpc **out, struct err *err)
{
	struct httpc *client;
	int r = global_init(err);

	if (r < 0)
		return r;
	client = calloc(1, sizeof(*client));
	if (!client)
		return err_set(err, ENOMEM, "out of memory");
	client->loop = loop;
	client->multi = curl_multi_init();
	if (!client->multi || loop_timer_new(loop, on_timer, client, &client->timer) < 0 ||
		loop_timer_new(loop, fail_unwatched, client, &client->unwatched_timer) < 0) {
		httpc_free(client);
		return err_set(err, ENOMEM, "cannot start the HTTP client");
	}
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
	curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
		(long)(max_host_connections ?: HOST_CONNECTIONS));
	*out = client;
	return 0;
}

void httpc_free(struct httpc *client)
{
	if (!client)
		return;
	while (client->calls)
		httpc_cancel(client->calls);
	if (client->multi)
		curl_multi_cleanup(client->multi); /* takes its sockets out of the loop */
	loop_timer_free(client->timer);
	loop_timer_free(client->unwatched_timer);
	free(client);
}

int httpc_start(struct httpc *client, const struct httpc_request *request, struct httpc_call **out)
{
	struct httpc_call *call;
	int r = call_new(request, &call);

	if (r < 0)
		return r;
	call->client = client;
	if (curl_multi_add_handle(client->multi, call->easy) != CURLM_OK) {
		call_free(call);
		return -ENOMEM;
	}
	call->next = client->calls;
	if (call->next)
		call->next->prev = call;
	client->calls = call;
	if (out)
		*out = call;
	return 0;
}

void httpc_go_on(struct httpc_call *call)
{
	curl_easy_pause(call->easy, CURLPAUSE_CONT);
}

void httpc_cancel(struct httpc_call *call)
{
	if (!call)
		return;
	unlink_call(call);
	call_free(call);
}

int httpc_sync(const struct httpc_request *request, int *status, struct buf *body, struct err *err)
{
	_cleanup_(cleanup_call) struct httpc_call *call = NULL;
	struct httpc_response resp;
	int r = global_init(err);

	if (r < 0)
		return r;
	r = call_new(request, &call);
	if (r < 0)
		return err_sys(err, -r, "cannot make the request");
	resp = response_of(call, curl_easy_perform(call->easy));
	if (resp.code < 0)
		return err_set(err, -resp.code, "%s", resp.error);
	if (body && buf_add(body, resp.body, resp.len) < 0)
		return err_set(err, EMSGSIZE, "the answer is larger than allowed");
	*status = resp.status;
	return 0;
}
