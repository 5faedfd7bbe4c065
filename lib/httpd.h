/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 server glue: libmicrohttpd driven by lib/loop, everything on the loop's thread.
 *
 * The owner gives a table of routes. For each request the glue finds the route, reads the body within the route's
 * limit (into a buffer, or piece by piece to a callback, or as form parts) and calls the handler, which answers at
 * once or keeps the request (httpd_defer) and answers later from the loop.
 *
 *   accept -> headers -> begin() -> body(), part() ... -> handler() -> httpd_reply() -> done()
 *                                                             \-> httpd_defer() ... httpd_reply() or gone()
 *
 * A request pointer is valid from begin() until done(), or gone() for a deferred one; httpd_reply() ends what the
 * owner may do with it. Refused bodies are read and thrown away up to a limit, so that the client
 * gets to see the answer and keeps its connection; a client that asks first (Expect: 100-continue) is told at once.
 * Slow clients are cut off: see the timeouts. SIGPIPE is ignored from httpd_new() on.
 */
#ifndef LIB_HTTPD_H
#define LIB_HTTPD_H

#include "lib/err.h"
#include "lib/util.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct httpd;
struct stat;
struct httpd_req;
struct httpd_stream;

typedef void httpd_fn(struct httpd_req *req);
/* A piece of the body. -EAGAIN: nothing of it was taken, the client has to wait until httpd_body_go_on(). Other negative errno refuse
 * the rest: -EMSGSIZE gives 413, -ENOSPC 507, any other 400; or the callback has answered with httpd_reply() itself before it returns. */
typedef int httpd_body_fn(struct httpd_req *req, const void *data, size_t len);

/* A field of a form; the strings live for the call only. */
struct httpd_part {
	const char *name;     /* never NULL */
	const char *filename; /* NULL: none was given */
	const char *type;     /* its Content-Type, or NULL */
	uint64_t offset;      /* of this piece inside the part; 0 also begins a part */
	bool multipart;       /* false: application/x-www-form-urlencoded */
};
/* A piece of a form field; len may be 0. Errors as for httpd_body_fn. */
typedef int httpd_part_fn(
	struct httpd_req *req, const struct httpd_part *part, const void *data, size_t len);

struct httpd_route {
	const char *method; /* "GET" answers HEAD as well (httpd_is_head); "*": any */
	/* "/vm/{id}/stop"; a last "{rest...}" takes all segments that are left, at least one, a last "{rest*}" also
	 * none. */
	const char *pattern;
	httpd_fn *handler;   /* the request is complete: answer or defer */
	httpd_fn *begin;     /* may be NULL. Headers only: may refuse with httpd_reply() */
	httpd_body_fn *body; /* the body goes here; NULL: it is buffered, see httpd_body() */
	/* Forms are taken apart and go here; a body of another type is not an error: it counts as a form
	 * without parts, see httpd_is_form(). */
	httpd_part_fn *part;
	bool buffer_other; /* with part(): a body of another type is buffered, not thrown away */
	uint64_t body_max; /* bytes; 0: HTTPD_BODY_MAX_BYTES */
	uint64_t tag;      /* the owner's */
};
#define HTTPD_BODY_MAX_BYTES (64 * KIB)

struct httpd_config {
	struct loop *loop;
	const struct httpd_route *routes; /* borrowed, count entries; the first match wins */
	size_t route_count;
	void *arg; /* httpd_arg() */
	bool lenient_paths; /* a trailing slash and the case of letters do not matter (the habit of Express) */
	bool answer_405; /* a known path with another method: 405 with Allow; else 404 */
	httpd_fn *
		fallback; /* no route: answers instead of the 404 below; the body was discarded. May be NULL */
	/* Renders the glue's own errors (400 404 405 413 500 507) with httpd_reply(). NULL, or where it does not
	 * answer: as text, and 404 as the page of Express ("Cannot GET /x"). */
	void (*error)(struct httpd_req *req, unsigned int status, const char *sentence);
	httpd_fn *done;               /* the request is over (for logs and metrics); may be NULL */
	unsigned int max_connections; /* per listener; 0: 256. More wait in the kernel's queue */
	unsigned int idle_timeout_s;  /* keep-alive, and a stall while reading or sending; 0: 60 */
	unsigned int head_timeout_s; /* from the first byte's due time to complete headers; 0: 15 */
	unsigned int body_timeout_s; /* for a complete body; 0: 300 */
	size_t conn_memory_bytes;    /* per connection, bounds the headers; 0: 16 KiB */
	uint64_t drain_max_bytes; /* of a refused body; 0: 16 MiB. More: the connection is closed */
};

/* 0 or -errno. Borrows config only for the call. */
int httpd_new(const struct httpd_config *config, struct httpd **httpd, struct err *err);
/* Listens on a numeric IPv4 or IPv6 address (NULL: 0.0.0.0); port 0: the kernel chooses, see httpd_port(). */
int httpd_listen_tcp(struct httpd *h, const char *address, uint16_t port, struct err *err);
/* Listens on a Unix socket with these permissions. A stale path (nobody listens) is replaced, a live one is
 * -EADDRINUSE, anything but a socket -EEXIST; unlinked at stop. */
int httpd_listen_unix(struct httpd *h, const char *path, mode_t mode, struct err *err);
/* Takes a listening stream socket (closed on failure too). */
int httpd_listen_fd(struct httpd *h, int fd, struct err *err);
/* Port of the first TCP listener in host order; 0: none. */
uint16_t httpd_port(const struct httpd *h);
/*
 * Graceful stop: no new connections, idle ones are closed, requests in flight end, then done(arg) is called from the loop
 * (always, and once). What is left after grace_ms is cut off (deferred requests: gone()). The owner
 * should answer its deferred requests soon.
 */
void httpd_stop(struct httpd *h, int64_t grace_ms, void (*done)(void *arg), void *arg);
/* Closes everything at once; deferred requests get gone(). Not from inside a handler. NULL is fine. */
void httpd_free(struct httpd *h);
/* Open connections, and requests that are not over. */
unsigned int httpd_connections(const struct httpd *h);
unsigned int httpd_requests(const struct httpd *h);

/* --- the request; strings live as long as it does ------------------------------------------------------------ */
void *httpd_arg(const struct httpd_req *req);
const struct httpd_route *httpd_route(const struct httpd_req *req); /* NULL in fallback */
const char *httpd_method(const struct httpd_req *req);
bool httpd_is_head(const struct httpd_req *req);
const char *httpd_target(const struct httpd_req *req); /* as sent, with the query */
const char *httpd_path(
	const struct httpd_req *req); /* as sent, without the query, percent signs and all */
/* A {name} of the pattern, decoded: may hold any byte but NUL, also '/'. NULL: no such name. */
const char *httpd_param(const struct httpd_req *req, const char *name);
/* A query argument, decoded ("" for one without value), or NULL. */
const char *httpd_query(const struct httpd_req *req, const char *name);
const char *httpd_header(const struct httpd_req *req, const char *name); /* or NULL */
/* Calls fn for each header of the request, in the order in which they came, until it returns false. */
typedef bool httpd_header_fn(void *arg, const char *name, const char *value);
void httpd_each_header(const struct httpd_req *req, httpd_header_fn *fn, void *arg);
/* The buffered body, NUL behind it; "" when there is none. */
const char *httpd_body(const struct httpd_req *req, size_t *len);
/* Content-Length, or -1 when not known beforehand. */
int64_t httpd_content_length(const struct httpd_req *req);
/* A body() that has returned -EAGAIN is called again, from the loop. Nothing happens when it does not wait. */
void httpd_body_go_on(struct httpd_req *req);
/* The body is of a type that part() understands. */
bool httpd_is_form(const struct httpd_req *req);
/* The peer as "address:port", or "unix". */
void httpd_peer(const struct httpd_req *req, char *out, size_t size);
int httpd_fd(const struct httpd_req *req); /* borrowed; for SO_PEERCRED */
/* The owner's pointer; free_fn (may be NULL) gets it when the request is over, however it ended. */
void httpd_set_data(struct httpd_req *req, void *data, void (*free_fn)(void *data));
void *httpd_data(const struct httpd_req *req);
/* For done(): the status sent (0: none) and ns since the request line arrived. */
unsigned int httpd_status(const struct httpd_req *req);
int64_t httpd_elapsed_ns(const struct httpd_req *req);

/*
 * A layer around a route's handler, which has the request's other pointer: answered() sees an answer that is given as bytes (not a
 * file or stream) before it is sent, over() ends every request. Both may answer other requests. Set once.
 */
struct httpd_answer {
	unsigned int status;
	const char *type; /* may be NULL */
	const void *data;
	size_t len;
};
struct httpd_layer {
	void (*answered)(struct httpd_req *req, void *data, const struct httpd_answer *answer);
	void (*over)(struct httpd_req *req, void *data);
};
void httpd_set_layer(struct httpd_req *req, const struct httpd_layer *layer, void *data);
void *httpd_layer_data(const struct httpd_req *req); /* NULL: none is set */

/* --- the answer ---------------------------------------------------------------------------------------------- */
/* Adds a header to the answer that follows. Values with control characters are dropped. */
void httpd_add_header(struct httpd_req *req, const char *name, const char *value);
void httpd_add_headerf(struct httpd_req *req, const char *name, const char *fmt, ...)
	_printf_(3, 4);
/* What was added, of this name, or NULL. */
const char *httpd_added_header(const struct httpd_req *req, const char *name);
/* Answers. data is copied; type may be NULL. A second answer is ignored. */
void httpd_reply(
	struct httpd_req *req, unsigned int status, const char *type, const void *data, size_t len);
void httpd_replyf(struct httpd_req *req, unsigned int status, const char *type, const char *fmt,
	...) _printf_(4, 5);
/* As httpd_reply(), but takes data, which is free()d. */
void httpd_reply_take(
	struct httpd_req *req, unsigned int status, const char *type, void *data, size_t len);
/* Answers through the owner's error renderer. */
void httpd_reply_error(struct httpd_req *req, unsigned int status, const char *sentence);
/*
 * Sends a regular file: takes fd. Accept-Ranges, Last-Modified and ETag are set; If-None-Match, If-Modified-Since
 * and a single Range (with If-Range) are honoured: 200, 206, 304, 416.
 */
void httpd_reply_file(struct httpd_req *req, int fd, const char *type);
/* The same as if the file ended after so many bytes. */
void httpd_reply_file_part(struct httpd_req *req, int fd, uint64_t bytes, const char *type);
/* The same for a file that was read: st is what fstat() said of it, data its first bytes, borrowed until the request's data is freed
 * (httpd_set_data()). */
void httpd_reply_file_data(struct httpd_req *req, const struct stat *st, const void *data,
	uint64_t bytes, const char *type);
/* Keeps the request beyond its handler. gone(req) (may be NULL) when the client went away before the answer: do not
 * use req after it. */
void httpd_defer(struct httpd_req *req, httpd_fn *gone);

/* The stream that is opened next has a body of this many bytes, and no chunks; also for HEAD. */
void httpd_stream_length(struct httpd_req *req, uint64_t bytes);
/*
 * Answers with a body of unknown length (chunked). Write what there is; up to max bytes are held for a slow reader.
 * drained (may be NULL) is called when everything held was taken, gone when the stream is over other than by
 * httpd_stream_end(): the stream may not be used after it. Not for HEAD: httpd_stream_open() answers it and returns NULL; so it does
 * without memory.
 */
struct httpd_stream *httpd_stream_open(struct httpd_req *req, unsigned int status, const char *type,
	size_t max, void (*drained)(void *arg), void (*gone)(void *arg), void *arg);
/* 0, or -EAGAIN when it would pass max (nothing was taken), -ENOMEM. */
int httpd_stream_write(struct httpd_stream *s, const void *data, size_t len);
size_t httpd_stream_held(const struct httpd_stream *s); /* bytes not yet taken */
/* What is held is still sent, then the answer ends. The stream may not be used after it. */
void httpd_stream_end(struct httpd_stream *s);
/* What is held is still sent, then the connection is closed: the client sees that the answer is not whole. The stream may not
 * be used after it, gone() is not called. */
void httpd_stream_break(struct httpd_stream *s);

#endif
