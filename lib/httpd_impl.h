/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the HTTP server glue share; nobody else includes this. */
#ifndef LIB_HTTPD_IMPL_H
#define LIB_HTTPD_IMPL_H

#include "lib/buf.h"
#include "lib/httpd.h"
#include "lib/httpd_path.h"
#include "lib/loop.h"

#include <microhttpd.h>

#define HTTPD_LISTENERS_MAX 4

struct httpd_listener {
	struct httpd *h;
	struct MHD_Daemon *daemon; /* owned; NULL: free slot */
	struct loop_io *io;        /* on the daemon's epoll descriptor */
	int fd;                    /* the daemon's until quiesced */
	uint16_t port;             /* 0: Unix */
	char *path;                /* owned; unlinked at stop */
	bool resumed;              /* a connection was; MHD has to be run to see it */
};

/* A closed connection whose client still sends: see httpd_linger.c. */
struct httpd_linger {
	struct httpd *h;
	int fd; /* owned */
	int64_t deadline_ns;
	struct loop_io *io;
	struct httpd_linger *prev, *next;
};

struct httpd_conn {
	bool linger; /* answered before its body was read */
	struct httpd_listener *listener;
	int fd;                /* borrowed from the daemon */
	int64_t deadline_ns;   /* 0: none */
	struct httpd_req *req; /* NULL: idle */
	struct httpd_conn *prev, *next;
};

struct httpd {
	struct httpd_config cfg;
	struct loop *loop;
	struct httpd_listener listener[HTTPD_LISTENERS_MAX];
	struct httpd_conn *conns;
	struct httpd_linger *lingers;
	unsigned int linger_count;
	unsigned int conn_count, req_count;
	struct loop_timer *timer;
	int64_t timer_at_ns; /* 0: not armed */
	int64_t sweep_at_ns; /* 0: no connection has a deadline */
	int running;         /* depth of MHD_run(): no teardown inside */
	bool stopping;
	int64_t stop_at_ns; /* then what is left is cut off */
	void (*stop_done)(void *arg);
	void *stop_arg;
};

enum req_state {
	REQ_HEAD,     /* request line seen */
	REQ_BODY,     /* headers seen, the body is being read */
	REQ_HANDLER,  /* in the handler */
	REQ_DEFERRED, /* suspended, the owner has it */
	REQ_ANSWERED, /* a response is made or queued */
	REQ_GONE,     /* the client went while deferred */
};

struct httpd_req {
	struct httpd *h;
	struct httpd_conn *conn;
	struct MHD_Connection *mhd;
	enum req_state state;
	bool head, queued, is_form, urlencoded, suspended;
	bool body_waits;     /* body() takes nothing for now */
	uint64_t answer_len; /* of the stream's body; MHD_SIZE_UNKNOWN */
	const struct httpd_route *route;
	const char *method; /* MHD's */
	char *target;       /* owned */
	struct httpd_path path;
	struct httpd_params params;
	int64_t start_ns;
	uint64_t body_seen, drained;
	struct buf body, headers; /* headers: name NUL value NUL ... */
	struct MHD_PostProcessor *pp;
	int part_error;
	struct MHD_Response *response; /* owned until done */
	unsigned int status;
	httpd_fn *gone;
	struct loop_io *watch; /* on the socket while suspended: only to see the client go */
	struct httpd_stream *stream;
	void *data;
	void (*data_free)(void *data);
	const struct httpd_layer *layer; /* NULL: none */
	void *layer_data;
};

struct httpd_stream {
	struct httpd_req *req;
	struct buf held;
	size_t taken; /* of held, from its front */
	bool ended;   /* by the owner: frees itself with the request */
	bool broken;  /* and not whole */
	void (*drained)(void *arg);
	void (*gone)(void *arg);
	void *arg;
};

/* httpd.c */
void httpd_conn_deadline(struct httpd_conn *conn, int64_t in_ns);
void httpd_arm(struct httpd *h);

/* httpd_linger.c */
void httpd_linger_begin(struct httpd_conn *conn);
/* Ends those over their deadline; the earliest of the others, or 0. INT64_MAX: ends all. */
int64_t httpd_linger_sweep(struct httpd *h, int64_t now_ns);

/* httpd_req.c: MHD's callbacks */
void *httpd_req_begin(void *listener, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result httpd_req_access(void *listener, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **con_cls);
void httpd_req_completed(void *listener, struct MHD_Connection *mhd, void **con_cls,
	enum MHD_RequestTerminationCode code);
void httpd_req_end(struct httpd_req *req, bool complete);
/* Suspends the request's connection and watches its socket; the owner of the answer is told by gone. */
void httpd_req_suspend(struct httpd_req *req);
/* Undoes it; nothing when it is not suspended. */
void httpd_req_resume(struct httpd_req *req);
/* The client is to be seen as gone: a deferred request or stream is given up. */
void httpd_req_abort(struct httpd_req *req);

/* httpd_reply.c */
bool httpd_may_answer(const struct httpd_req *req);
bool httpd_headers_any(const struct httpd_req *req);
void httpd_error(struct httpd_req *req, unsigned int status, const char *sentence);
void httpd_set_response(struct httpd_req *req, unsigned int status, const char *type,
	struct MHD_Response *response);

#endif
