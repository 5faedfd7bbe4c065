/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager's REST API (api/openapi.yaml) as the verbs use it: one call at a time through api_call(), or several
 * beside each other on the loop through api_start(). Nothing else of uigniter speaks to the manager.
 *
 * Results: 0, -ENOENT (no such object), -EEXIST (conflict), -ETIMEDOUT, -ECONNREFUSED (manager not reachable), and
 * -EIO, -EINVAL, -ENOMEM for the rest; the sentence is the problem's detail or says what is wrong with the address.
 */
#ifndef CLI_API_H
#define CLI_API_H

#include "lib/buf.h"
#include "lib/err.h"

#include <jansson.h>

struct api;
struct loop;

struct api_request {
	const char *method; /* NULL: GET */
	const char *path; /* from the root, query included; borrowed for the call of api_start() */
	json_t *body;     /* borrowed, dumped at once; NULL: none */
	int body_fd;      /* with body_bytes > 0: uploaded as application/octet-stream */
	uint64_t body_bytes;
	const char *header[2]; /* more header lines, or NULL */
	unsigned int limit_ms; /* for everything; 0: none */
	/* Takes the answer's body as it comes (of an answer below 400); negative breaks off. NULL: it is JSON. */
	int (*on_data)(void *arg, const void *data, size_t len);
	/* api_start() only, called from the loop; answer is borrowed and may be NULL. */
	void (*done)(void *arg, int rc, json_t *answer, const struct err *err);
	void *arg;
};

/* host: unix:///path, tcp://address:port or http://address:port. Connects to nothing yet. */
int api_open(const char *host, struct api **api, struct err *err);
/* Cancels what is under way. NULL is fine. */
void api_close(struct api *api);
static inline void api_closep(struct api **api)
{
	api_close(*api);
}

/* The loop that calls run on, for signals. */
struct loop *api_loop(struct api *api);

/* Performs a call and waits for its end. *answer (may be NULL) is a new reference, NULL for an empty
 * body; of a refusal it is the problem, when the manager gave one. */
int api_call(struct api *api, const struct api_request *request, json_t **answer, struct err *err);
/* Begins a call; done() comes later. 0 or -errno. */
int api_start(struct api *api, const struct api_request *request, struct err *err);

/* A problem of the manager (or what else has its members detail and code) as -errno and a sentence. */
int api_problem(int status, const json_t *problem, struct err *err);

/* GET of a list, all its pages: *items is a new array. */
int api_list(struct api *api, const char *path, json_t **items, struct err *err);

/* Sets out to "PREFIX<name>SUFFIX". -ENOENT for what cannot be a VM's or an image's name and so cannot exist. */
int api_vm_path(struct buf *out, const char *name, const char *suffix, struct err *err);
int api_image_path(struct buf *out, const char *name, struct err *err);
int api_kernel_path(struct buf *out, const char *name, struct err *err);

#endif
