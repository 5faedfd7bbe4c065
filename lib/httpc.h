/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 client glue: libcurl's multi interface driven by lib/loop, everything on the loop's thread, and one
 * synchronous call for programs without a loop. Connections are kept and used again. Only plain HTTP, no redirects, no
 * proxies from the environment. Numeric addresses and "localhost" need no resolver; other names block while
 * they are looked up.
 *
 * For a proxy: the body is read from on_read(), the answer goes to on_head() and on_data() as it comes, and on_read() and on_data()
 * may say -EAGAIN, after which nothing more is asked of them until httpc_go_on().
 */
#ifndef LIB_HTTPC_H
#define LIB_HTTPC_H

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/util.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct httpc;
struct httpc_call;

/* A part of a multipart/form-data body. */
struct httpc_part {
	const char *name;
	const char *filename; /* NULL: none */
	const char *type;     /* NULL: none */
	const void *data;     /* borrowed until the call is over */
	size_t len;
};
#define HTTPC_PARTS_MAX      8
#define HTTPC_HEAD_MAX_BYTES (64 * KIB) /* of the answer, with on_head */

struct httpc_response {
	int status;        /* HTTP status; 0: no (complete) answer, see code */
	int code;          /* 0 or -errno: -ECONNREFUSED (nobody there, the request was not sent;
	                     * -ENOENT, -EACCES: the same for a Unix socket), -EHOSTUNREACH (no connection
	                     * in time, so not sent either), -ETIMEDOUT (no answer in time), -EMSGSIZE (over
	                     * max_bytes, or its headers HTTPC_HEAD_MAX_BYTES), -ECANCELED (a callback refused), -EIO (broke off,
	                     * or no HTTP), -EINVAL (bad URL), what epoll said when the socket could not be watched */
	const char *error; /* a sentence for code; "" */
	const char *body;  /* NUL behind it; "" when empty or given to on_data */
	size_t len;
	struct httpc_call *call; /* for httpc_header() */
};

struct httpc_request {
	const char *method;    /* NULL: GET */
	const char *url;       /* "http://127.0.0.1:9000/x" */
	const char *unix_path; /* connect to this socket; the URL's host is only named in Host */
	const char *const *headers; /* "Name: value", NULL behind the last; may be NULL */
	const void *body;           /* borrowed until the call is over */
	size_t len;
	const struct httpc_part *parts; /* instead of body; copied but for the data */
	size_t part_count;
	int body_fd; /* with body_fd_len > 0: the body is read from this file; borrowed */
	uint64_t body_fd_len;
	unsigned int timeout_ms;         /* for everything; 0: none (streams) */
	unsigned int connect_timeout_ms; /* 0: 2000 */
	size_t max_bytes;                /* of the answer's body; 0: 1 MiB */
	const char *
		target; /* "/a?b", sent as it is instead of the URL's path; NULL: that. No control characters, no spaces */
	bool no_defaults; /* no header but Host that is not in headers (Accept, Expect, Content-Type) */
	bool own_connection; /* a new one, closed behind the call */
	/* Makes the socket, not yet connected; the descriptor (taken) or -errno. NULL: one of this process's network. */
	int (*socket)(void *arg);
	/* Reads the body: bytes, 0 at its end, -EAGAIN, or another -errno to break off. NULL: as above. */
	ssize_t (*on_read)(void *arg, void *out, size_t max);
	int64_t read_len; /* with on_read: of the body; -1: not known, it goes in chunks */
	/* Status and headers of the (last) answer are complete, its body is not; a negative result breaks off. */
	int (*on_head)(void *arg, const struct httpc_response *response);
	/* Gets the body piece by piece (unlimited); -EAGAIN: nothing was taken; another negative result breaks off. NULL: it is
	 * collected. */
	int (*on_data)(void *arg, int status, const void *data, size_t len);
	/* Called once from the loop, never inside httpc_start(); the response lives for the call only. */
	void (*done)(void *arg, const struct httpc_response *response);
	void *arg;
};

/* max_host_connections: to one peer, 0: 64; further requests wait. 0 or -errno. */
int httpc_new(struct loop *loop, unsigned int max_host_connections, struct httpc **client,
	struct err *err);
/* Connections made from now on find out by themselves that their peer has vanished (lib/keepalive.h), also while they wait for an answer. */
void httpc_watch_peers(struct httpc *client);
/* Cancels what is under way, without done(). Not from inside done(). NULL is fine. */
void httpc_free(struct httpc *client);
/* Strings are copied, bodies borrowed. call (may be NULL) is valid until done() or httpc_cancel(). 0 or -errno. */
int httpc_start(
	struct httpc *client, const struct httpc_request *request, struct httpc_call **call);
/* After -EAGAIN of on_read() or on_data(): they are called again, perhaps before this returns. Not from inside a callback of a call. */
void httpc_go_on(struct httpc_call *call);
/* done() will not be called. Not from inside on_data(). NULL is fine. */
void httpc_cancel(struct httpc_call *call);
/* Whether any byte of the request has been given to a connection, and any line of an answer has come. Also inside done(). */
bool httpc_has_sent(const struct httpc_call *call);
bool httpc_has_received(const struct httpc_call *call);
/* A header of the answer, or NULL. Lives as long as the response. */
const char *httpc_header(const struct httpc_response *response, const char *name);
/* Calls fn for each header of the answer until it returns false. Names and values are the peer's, whatever it made of them. */
typedef bool httpc_header_fn(void *arg, const char *name, const char *value);
void httpc_each_header(const struct httpc_response *response, httpc_header_fn *fn, void *arg);

/*
 * Performs a request and waits for its end; done and arg serve only on_data. The HTTP status (also 4xx and 5xx) goes to
 * status, the body to body (may be NULL with on_data). 0, or -errno with a sentence as in httpc_response.
 */
int httpc_sync(const struct httpc_request *request, int *status, struct buf *body, struct err *err);

#endif
