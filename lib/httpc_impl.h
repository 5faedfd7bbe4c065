/* SPDX-License-Identifier: Apache-2.0 */
/* Between httpc.c (the client and its loop), httpc_call.c (one request and its answer) and httpc_body.c (what is sent and received). */
#ifndef LIB_HTTPC_IMPL_H
#define LIB_HTTPC_IMPL_H

#include "lib/httpc.h"

#include <curl/curl.h>

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

/* httpc_body.c: the answer's body goes to on_data() or is collected; what is sent comes from where the request says. */
void httpc_body_receive(struct httpc_call *call);
int httpc_body_send(struct httpc_call *call, const struct httpc_request *q); /* 0 or -errno */

/* httpc_call.c */
int httpc_call_new(const struct httpc_request *q, struct httpc_call **call); /* 0 or -errno */
void httpc_call_free(struct httpc_call *call);                               /* NULL is fine */
/* Finds out soon when the peer has vanished; see httpc_watch_peers(). */
void httpc_call_watch_peer(struct httpc_call *call);
int httpc_call_status(const struct httpc_call *call);
struct httpc_response httpc_call_response(struct httpc_call *call, CURLcode result);

#endif
