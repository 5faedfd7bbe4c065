/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References in the texts of an application's file:
 *
 *   ${service.NAME.address}   address of the first ready replica of a service
 *   ${name} ${replica} ${app} name and number of the instance itself, name of the application
 *   $$                        a $
 *
 * A $ before anything else is itself. What else stands in ${} is an error.
 */
#ifndef DAEMON_APP_REFS_H
#define DAEMON_APP_REFS_H

#include "lib/buf.h"
#include "lib/err.h"

#include <jansson.h>

enum ref_kind { REF_ADDRESS, REF_NAME, REF_REPLICA, REF_APP };

/* Puts what the reference stands for behind out; service has len bytes (REF_ADDRESS only). 0, or -errno with err, which ends
 * the expansion. */
typedef int refs_fn(void *arg, enum ref_kind kind, const char *service, size_t len, struct buf *out,
	struct err *err);

/* The text with all references replaced, behind out. 0; -EINVAL with err: no reference; or what fn or buf_add() returned. */
int refs_expand(const char *text, refs_fn *fn, void *arg, struct buf *out, struct err *err);

/* A copy of a string, or of a list or an object of strings, with all of them expanded. *where (may be NULL) is the key or the
 * index of what failed. The same results. */
int refs_expand_json(
	json_t *value, refs_fn *fn, void *arg, json_t **out, char where[64], struct err *err);

#endif
