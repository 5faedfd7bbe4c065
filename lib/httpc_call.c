/* SPDX-License-Identifier: Apache-2.0 */
/* One request as an easy handle of libcurl, from what was asked for to what became of it. */
#include "lib/httpc_impl.h"
#include "lib/keepalive.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define BUFFER_BYTES       (16 * KIB)
#define BUFFER_MAX_BYTES   (128 * KIB) /* of a body that is larger than the above */
#define CONNECT_TIMEOUT_MS 2000
#define MAX_BYTES          (1 * MIB)

int httpc_call_status(const struct httpc_call *call)
{
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

static bool was_connected(const struct httpc_call *call)
{
	curl_off_t us = 0;

	curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &us);
	return us > 0;
}

bool httpc_has_sent(const struct httpc_call *call)
{
	long bytes = 0;

	curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &bytes);
	return bytes > 0;
}

bool httpc_has_received(const struct httpc_call *call)
{
	long head = 0;
	curl_off_t body = 0;

	curl_easy_getinfo(call->easy, CURLINFO_HEADER_SIZE, &head);
	curl_easy_getinfo(call->easy, CURLINFO_SIZE_DOWNLOAD_T, &body);
	return head > 0 || body > 0;
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
		return was_connected(call) ? -ETIMEDOUT : -EHOSTUNREACH;
	if (result == CURLE_URL_MALFORMAT || result == CURLE_UNSUPPORTED_PROTOCOL)
		return -EINVAL;
	if (result == CURLE_OUT_OF_MEMORY)
		return -ENOMEM;
	return -EIO;
}

struct httpc_response httpc_call_response(struct httpc_call *call, CURLcode result)
{
	struct httpc_response resp = {.code = code_of(result, call), .call = call, .error = ""};

	if (resp.code == 0)
		resp.status = httpc_call_status(call);
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
		httpc_call_status(call) < 200)
		return len;
	call->head_done = true;
	head = httpc_call_response(call, CURLE_OK);
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
	if (q->no_defaults && leave_out(call, q, "Accept:") < 0)
		return -ENOMEM;
	/* To ask whether a large form may come costs a round trip, and httpd reads a refused one to its end. */
	if ((q->no_defaults || q->part_count) && leave_out(call, q, "Expect:") < 0)
		return -ENOMEM;
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
	return 0;
}

void httpc_call_free(struct httpc_call *call)
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
	httpc_call_free(*call);
}

static int on_tcp(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)purpose;
	keepalive_on(fd);
	return CURL_SOCKOPT_OK;
}

void httpc_call_watch_peer(struct httpc_call *call)
{
	curl_easy_setopt(call->easy, CURLOPT_SOCKOPTFUNCTION, on_tcp);
}

/* Each buffer that is sent or received is a system call, and a message of a unikernel's network. Answers are large where much is allowed. */
static void set_buffers(CURL *easy, const struct httpc_request *q)
{
	size_t len = BUFFER_BYTES;

	for (size_t i = 0; i < q->part_count && i < HTTPC_PARTS_MAX; i++)
		len += q->parts[i].len;
	if (len > BUFFER_MAX_BYTES)
		len = BUFFER_MAX_BYTES;
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)len);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE,
		(long)(q->max_bytes > MAX_BYTES ? BUFFER_MAX_BYTES : BUFFER_BYTES));
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
	set_buffers(easy, q);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)q->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(q->connect_timeout_ms ?: CONNECT_TIMEOUT_MS));
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

int httpc_call_new(const struct httpc_request *q, struct httpc_call **out)
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
	httpc_body_receive(call);
	r = httpc_body_send(call, q);
	if (r == 0)
		r = add_headers(call, q);
	if (r < 0)
		return r;
	*out = steal_ptr(&call);
	return 0;
}
