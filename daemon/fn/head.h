/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which headers a gateway passes on (RFC 9110 section 7.6.1, RFC 9112): those about one connection stay on it, those that Connection
 * names as well; lengths are said anew by who sends. Pure functions: both sides are hostile, here is where that is decided.
 */
#ifndef DAEMON_FN_HEAD_H
#define DAEMON_FN_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#define FN_CONNECTION_NAMES_MAX 32

/* The names of a Connection header, taken apart. */
struct fn_connection {
	char text[1024]; /* longer ones are cut: what was cut is not known */
	bool cut;
};

/* Adds a value of Connection (there may be several of them). */
void fn_connection_add(struct fn_connection *c, const char *value);

/* Whether a header of a request goes on to the instance. token: the manager has a bearer token, which must not leave it. */
bool fn_passes_up(const struct fn_connection *c, const char *name, const char *value, bool token);
/* Whether a header of an answer goes back to the client. */
bool fn_passes_down(const struct fn_connection *c, const char *name, const char *value);

/* A request's target is one line of visible ASCII. */
bool fn_target_is_valid(const char *target);
bool fn_method_is_valid(const char *method);
/* Twice is the same as once (RFC 9110 section 9.2.2): GET, HEAD, OPTIONS, PUT, DELETE. */
bool fn_method_is_idempotent(const char *method);

/* The part of a target behind the first segments (3: behind "/fn/NAME/invoke"), from its slash on, with the query; "/" in front where there
 * is none. Writes at most size bytes; false: it does not fit. */
bool fn_target_behind(const char *target, unsigned segments, char *out, size_t size);

#endif
