/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the API: JSON, and problem details (RFC 9457) with the fields of api/openapi.yaml, schema Problem. */
#ifndef DAEMON_API_ANSWER_H
#define DAEMON_API_ANSWER_H

#include "daemon/check.h"
#include "lib/httpd.h"

#include <jansson.h>

/* Takes root (NULL: out of memory, 500). */
void answer_json(struct httpd_req *req, unsigned status, json_t *root);

/* code is stable, for programs; the sentence, for people, names the object and the remedy. */
void answer_problem(struct httpd_req *req, unsigned status, const char *code, const char *fmt, ...)
	_printf_(4, 5);
/* As answer_problem(), of a VM that is there: its id goes into the member vm_id. */
void answer_vm_problem(struct httpd_req *req, unsigned status, const char *code, const char *vm_id,
	const char *fmt, ...) _printf_(5, 6);
/* As answer_problem(), with a Retry-After of so many seconds. */
void answer_retry(struct httpd_req *req, unsigned status, const char *code, unsigned retry_s,
	const char *fmt, ...) _printf_(5, 6);
/* 404: there is no WHAT of that name; GET /LIST says which there are. */
void answer_unknown(struct httpd_req *req, const char *what, const char *name, const char *list);
/* 400 invalid_field, with the place of what is wrong. */
void answer_check(struct httpd_req *req, const struct check *check);

/* 200 with a list that is whole: takes items. */
void answer_items(struct httpd_req *req, json_t *items);
/* What was wanted of something that is kept is not taken: 409 for EBUSY, 503 for EAGAIN and ENOMEM, else as answer_check(). */
void answer_refused(struct httpd_req *req, const struct check *check);

/* Who has called, for the log: "address:port", or "uid=N pid=N" of the process that made the Unix socket's connection. */
#define CALLER_TEXT_BYTES 64
void answer_caller(const struct httpd_req *req, char out[CALLER_TEXT_BYTES]);

/* The glue's own errors. */
void answer_glue_error(struct httpd_req *req, unsigned status, const char *sentence);

#endif
