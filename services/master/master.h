/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of master share: main.c (settings, routes, life), upload.c (a picture becomes a task), relay.c (what goes to db as it is),
 * ready.c (is it done?), download.c (a picture from whichever storage has it).
 */
#ifndef SERVICES_MASTER_MASTER_H
#define SERVICES_MASTER_MASTER_H

#include "services/common/image_form.h"
#include "services/common/service.h"

#define MASTER_HTML     "text/html; charset=utf-8"
#define MASTER_DB       "dbendpoint"
#define MASTER_STORAGE  "storageendpoint"
#define MASTER_CALL_MS  20000
#define MASTER_WAIT_MS  75000 /* of a long poll: longer than db lets one wait */
#define MASTER_ID_BYTES 20

struct ready;

struct master {
	struct service *s;
	struct image_budget budget; /* of uploads */
	int64_t retry_ms;           /* for how long what fails is tried again */
	unsigned int downloads;     /* under way */
	struct ready *ready_waits;  /* of ready.c, each holds a connection to db */
	unsigned int ready_count;
	uint64_t uploads, relayed;
};

static inline struct master *master_of(const struct httpd_req *req)
{
	return service_of(req)->data;
}

/* A task's number in decimal, as db gives them. */
bool master_id_good(const char *id);
/* A header of the client, passed on: out takes "Name: value", or NULL when there is none, or no room. */
const char *master_pass_header(
	const struct httpd_req *req, const char *name, char *out, size_t size);

/*
 * A request that waits for the answer to one of ours. It belongs to its httpd_req and goes with it; end() is called before that.
 *
 *   relay_new() -> relay_ask() -> done() of the question, which clears call first -> relay_answer(), relay_failed(), or relay_ask() again
 */
struct relay {
	struct master *m;
	struct httpd_req *req;
	struct upstream_call *call; /* under way; NULL: none */
	void (*end)(struct relay *relay);
};

/* bytes: of the struct that begins with a relay. NULL without memory: the client gets 500. */
void *relay_new(struct httpd_req *req, size_t bytes, void (*end)(struct relay *relay));
/* q without retry_ms and arg; done() gets the relay. */
void relay_ask(struct relay *r, struct upstream_request q);
void relay_failed(struct relay *r, const struct httpc_response *resp);
/* The answer as it is, with those of its headers that clients know. */
void relay_answer(struct relay *r, const struct httpc_response *resp);

/* Handlers of routes. upload.c: */
void on_upload_begin(struct httpd_req *req);
void on_upload(struct httpd_req *req);
/* relay.c: */
void on_next(struct httpd_req *req);   /* GET /task/next, a long poll */
void on_list(struct httpd_req *req);   /* lists, and what may be done with dead ones */
void on_change(struct httpd_req *req); /* POST /task/{id}/VERB */
/* ready.c, download.c: */
void on_is_ready(struct httpd_req *req);
void ready_drain(struct master *m); /* answers those who wait */
void on_download(struct httpd_req *req);

#endif
