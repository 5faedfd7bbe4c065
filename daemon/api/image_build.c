/* SPDX-License-Identifier: Apache-2.0 */
/* POST /image/build: the upload of a context, or of a manifest alone, and the operation that builds an image of it (daemon/build.h). */
#include "daemon/build.h"

#include "daemon/api/api.h"
#include "daemon/core.h"
#include "daemon/image/name.h"
#include "daemon/monitor/args.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define MANIFEST_DEFAULT   "image.yaml"
#define MANIFEST_MAX_BYTES 1024

enum upload_kind { UPLOAD_UNKNOWN, UPLOAD_CONTEXT, UPLOAD_MANIFEST };

struct building {
	struct build *build; /* NULL: it is not this request's any more */
	enum upload_kind kind;
};

static void building_free(void *data)
{
	struct building *b = data;

	build_upload_abort(b->build);
	free(b);
}

static enum upload_kind kind_of(const struct httpd_req *req)
{
	static const struct {
		const char *type;
		enum upload_kind kind;
	} types[] = {{"application/x-tar", UPLOAD_CONTEXT}, {"application/tar", UPLOAD_CONTEXT},
		{"application/gzip", UPLOAD_CONTEXT}, {"application/zstd", UPLOAD_CONTEXT},
		{"application/octet-stream", UPLOAD_CONTEXT},
		{"application/yaml", UPLOAD_MANIFEST}};
	const char *type = httpd_header(req, "Content-Type");

	for (size_t i = 0; type && i < ARRAY_SIZE(types); i++) {
		if (strcasecmp(types[i].type, type) == 0)
			return types[i].kind;
	}
	return UPLOAD_UNKNOWN;
}

/* A path below the context; the builder itself lets none lead out. */
static bool is_below(const char *path)
{
	if (!*path || *path == '/' || *path == '-' || strlen(path) > MANIFEST_MAX_BYTES)
		return false;
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && memcmp(path, "..", 2) == 0)
			return false;
		path += n + (path[n] == '/');
	}
	return true;
}

/* ?cmdline=: *words NULL without one. 0 or -errno with err. */
static int take_words(struct httpd_req *req, char ***words, struct err *err)
{
	const char *line = httpd_query(req, "cmdline");
	int n = line ? args_split(line, words, err) : 0;

	return n > ARGS_WORDS_MAX ? err_set(err, E2BIG, "more than %d words", ARGS_WORDS_MAX) : n;
}

static bool check_query(struct httpd_req *req)
{
	const char *name = httpd_query(req, "name"), *manifest = httpd_query(req, "manifest");
	struct check c = {.pointer = ""};
	char **words = NULL;
	struct err err = {0};
	bool is_line = take_words(req, &words, &err) >= 0;

	args_free(words);

	if (name && !image_name_is_valid(name))
		check_fail(&c, "name", NULL,
			"name: \"%.80s\" is no image name: parts of [a-z0-9._-] joined by /, then "
			":tag",
			name);
	else if (manifest && !is_below(manifest))
		check_fail(&c, "manifest", NULL,
			"manifest: \"%.80s\" is no path of a file in the context", manifest);
	else if (!is_line)
		check_fail(&c, "cmdline", NULL, "cmdline: %s", err.msg);
	else
		return true;
	answer_check(req, &c);
	return false;
}

static bool check_request(struct httpd_req *req)
{
	if (api_core(req)->ending)
		answer_retry(req, 503, "unavailable", 10, "the manager is ending");
	else if (kind_of(req) == UPLOAD_UNKNOWN)
		answer_problem(req, 415, "unsupported_media_type",
			"a context is uploaded with the Content-Type application/x-tar (gzip and "
			"zstd "
			"are found out), a manifest alone with application/yaml");
	else if (httpd_content_length(req) > (int64_t)BUILD_CONTEXT_MAX_BYTES)
		answer_problem(req, 413, "too_large", "a context has at most %llu MiB",
			BUILD_CONTEXT_MAX_BYTES / MIB);
	else
		return check_query(req);
	return false;
}

static void answer_refused_build(struct httpd_req *req, int r, const struct err *err)
{
	if (r == -EAGAIN || r == -ENOENT || r == -ENOMEM)
		answer_retry(req, 503, "unavailable", 10, "%s", err->msg);
	else
		answer_problem(req, r == -ENOSPC ? 507 : 500,
			r == -ENOSPC ? "disk_full" : "internal", "%s", err->msg);
}

void image_build_begin(struct httpd_req *req)
{
	struct building *b;
	struct err err = {0};
	int r;

	api_guard(req);
	if (httpd_status(req) || !check_request(req))
		return;
	b = calloc(1, sizeof(*b));
	if (!b) {
		answer_problem(req, 500, "internal", "there is no memory");
		return;
	}
	b->kind = kind_of(req);
	httpd_set_data(req, b, building_free);
	r = build_upload_new(api_core(req)->builds, &b->build, &err);
	if (r < 0)
		answer_refused_build(req, r, &err);
}

int image_build_body(struct httpd_req *req, const void *data, size_t len)
{
	struct building *b = httpd_data(req);

	return build_upload_write(b->build, data, len);
}

void image_build_done(struct httpd_req *req)
{
	const char *name = httpd_query(req, "name"), *manifest = httpd_query(req, "manifest");
	struct building *b = httpd_data(req);
	const struct operation *op;
	char **words = NULL;
	struct err err = {0};
	int r = take_words(req, &words, &err);

	if (r >= 0)
		r = build_begin(steal_ptr(&b->build),
			b->kind == UPLOAD_MANIFEST ? NULL
				: manifest         ? manifest
						   : MANIFEST_DEFAULT,
			name, words, &op, &err);
	else
		args_free(words);
	if (r < 0)
		answer_refused_build(req, r, &err);
	else
		answer_operation(req, op);
}
