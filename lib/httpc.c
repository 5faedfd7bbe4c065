/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call is one easy handle in the client's multi handle. libcurl tells which sockets to watch and when to be woken
 * (on_socket, on_timeout); after each step finished calls are taken out and their done() is called, outside of
 * libcurl, so that done() may start and cancel calls.
 *
 * A socket that can not be watched fails its call and no other: libcurl, told of it by the callback's result, would give up the
 * whole client. The call is marked and taken out by a timer, since libcurl may not be called from its own callbacks.
 */
#include "lib/httpc_impl.h"

#include "lib/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define KEPT_CONNECTIONS 32l
#define HOST_CONNECTIONS 64

struct httpc {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer *timer, *unwatched_timer;
	struct httpc_call *calls;
	bool watches_peers;
};

struct sock {
	struct loop_io *io;
	struct httpc *client;
	curl_socket_t fd;
};

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
	resp = httpc_call_response(call, result);
	if (call->done)
		call->done(call->arg, &resp);
	httpc_call_free(call);
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

void httpc_watch_peers(struct httpc *client)
{
	client->watches_peers = true;
}

int httpc_start(struct httpc *client, const struct httpc_request *request, struct httpc_call **out)
{
	struct httpc_call *call;
	int r = httpc_call_new(request, &call);

	if (r < 0)
		return r;
	call->client = client;
	if (client->watches_peers)
		httpc_call_watch_peer(call);
	if (curl_multi_add_handle(client->multi, call->easy) != CURLM_OK) {
		httpc_call_free(call);
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
	httpc_call_free(call);
}

static void cleanup_call(struct httpc_call **call)
{
	httpc_call_free(*call);
}

int httpc_sync(const struct httpc_request *request, int *status, struct buf *body, struct err *err)
{
	_cleanup_(cleanup_call) struct httpc_call *call = NULL;
	struct httpc_response resp;
	int r = global_init(err);

	if (r < 0)
		return r;
	r = httpc_call_new(request, &call);
	if (r < 0)
		return err_sys(err, -r, "cannot make the request");
	resp = httpc_call_response(call, curl_easy_perform(call->easy));
	if (resp.code < 0)
		return err_set(err, -resp.code, "%s", resp.error);
	if (body && buf_add(body, resp.body, resp.len) < 0)
		return err_set(err, EMSGSIZE, "the answer is larger than allowed");
	*status = resp.status;
	return 0;
}
