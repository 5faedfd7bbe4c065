/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request targets and route patterns: pure functions. A target is split at '/' before it is decoded, so that
 * an encoded slash stays inside its segment and reaches the handler as data, never as structure.
 */
#ifndef LIB_HTTPD_PATH_H
#define LIB_HTTPD_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct httpd_route;

#define HTTPD_SEGMENTS_MAX 24
#define HTTPD_PARAMS_MAX   4

struct httpd_path {
	char *text;         /* owned: the segments, decoded, each with its NUL */
	char *raw;          /* points into text: the path as sent, without origin and query */
	unsigned int count; /* of segments; "/a/b/" has two and trailing is set, "/" none */
	bool trailing;
	const char *seg[HTTPD_SEGMENTS_MAX];
};

struct httpd_params {
	unsigned int count;
	struct {
		const char *name; /* in the pattern, name_len bytes */
		size_t name_len;
		const char *value; /* in the path, or owned by rest */
	} item[HTTPD_PARAMS_MAX];
	char *rest; /* owned: value of a {name...} */
};

/* Takes a request target apart (origin-form, absolute-form or "*"). 0, -EINVAL (bad escape, NUL, no leading slash, empty
 * inner segment, too many), -ENOMEM. */
int httpd_path_parse(struct httpd_path *p, const char *target);
void httpd_path_fini(struct httpd_path *p);

/* Whether the pattern fits; fills params then (fini them). lenient: letter case and trailing slash are ignored. */
bool httpd_path_match(
	const struct httpd_path *p, const char *pattern, bool lenient, struct httpd_params *params);
void httpd_params_fini(struct httpd_params *params);

/* Decodes percent escapes of len bytes into out (len + 1 bytes). Length, or -EINVAL for a bad escape or a NUL. */
int httpd_unescape(const char *in, size_t len, char *out);

#endif
