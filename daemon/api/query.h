/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of the query, checked; a missing one leaves *out as it is. false: it was refused, the answer has been given. */
#ifndef DAEMON_API_QUERY_H
#define DAEMON_API_QUERY_H

#include <stdbool.h>
#include <stdint.h>

struct httpd_req;

bool query_bool(struct httpd_req *req, const char *name, bool *out);
bool query_long(struct httpd_req *req, const char *name, long min, long max, long *out);
/* Seconds, with a fraction, up to an hour. */
bool query_seconds(struct httpd_req *req, const char *name, int64_t *out_ns);
bool query_word(struct httpd_req *req, const char *name, const char *const *words, int *out);

#endif
