/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files as answers: validators, conditions and one byte range (RFC 9110 sections 8.8, 13 and 14). The strong ETag is made of
 * size, time of change in ns and inode: files are replaced by rename, never written in place.
 */
#include "lib/httpd_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

struct range {
	uint64_t first, last; /* inclusive */
};

enum range_kind { RANGE_NONE, RANGE_ONE, RANGE_BAD };

static bool digits(const char **p, uint64_t *n)
{
	const char *s = *p;

	*n = 0;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (*n > (UINT64_MAX - 9) / 10)
			return false;
		*n = *n * 10 + (uint64_t)(*s - '0');
	}
	if (s == *p)
		return false;
	*p = s;
	return true;
}

/* What is not understood (another unit, several ranges) is ignored, as the standard asks. */
static enum range_kind range_parse(const char *s, uint64_t size, struct range *r)
{
	uint64_t n;

	if (!s || strncmp(s, "bytes=", 6) != 0 || strchr(s, ','))
		return RANGE_NONE;
	s += 6;
	if (*s == '-') {
		s++;
		if (!digits(&s, &n) || *s)
			return RANGE_NONE;
		if (!n || !size)
			return RANGE_BAD;
		*r = (struct range){.first = n < size ? size - n : 0, .last = size - 1};
		return RANGE_ONE;
	}
	if (!digits(&s, &r->first) || *s++ != '-')
		return RANGE_NONE;
	r->last = size - 1;
	if (*s) {
		if (!digits(&s, &n) || *s || n < r->first)
			return RANGE_NONE;
		r->last = n < size ? n : size - 1;
	}
	return r->first < size ? RANGE_ONE : RANGE_BAD;
}

static bool not_modified(const struct httpd_req *req, const char *etag, const char *date)
{
	const char *match = httpd_header(req, "If-None-Match");

	if (match)
		return strcmp(match, "*") == 0 || strstr(match, etag);
	match = httpd_header(req, "If-Modified-Since");
	return match && strcmp(match, date) == 0;
}

/* Where the bytes come from: a file, which belongs to it, or memory. */
struct source {
	int fd; /* -1: data */
	const char *data;
};

static void source_end(const struct source *s)
{
	if (s->fd >= 0)
		close(s->fd);
}

static struct MHD_Response *body_of(const struct source *s, uint64_t first, uint64_t len)
{
	union {
		const char *in;
		void *out;
	} u; /* MHD only reads, but its prototype does not say so */

	if (s->fd >= 0)
		return MHD_create_response_from_fd_at_offset64(len, s->fd, first);
	u.in = s->data + first;
	return MHD_create_response_from_buffer((size_t)len, u.out, MHD_RESPMEM_PERSISTENT);
}

/* The validators of a file as headers. */
static void add_validators(
	struct httpd_req *req, const struct stat *st, uint64_t size, char etag[64], char date[40])
{
	struct tm tm;

	snprintf(etag, 64, "\"%llx-%llx-%llx\"", (unsigned long long)size,
		(unsigned long long)(st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec),
		(unsigned long long)st->st_ino);
	gmtime_r(&st->st_mtime, &tm);
	strftime(date, 40, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	httpd_add_header(req, "Accept-Ranges", "bytes");
	httpd_add_header(req, "ETag", etag);
	httpd_add_header(req, "Last-Modified", date);
}

static void answer(struct httpd_req *req, const struct stat *st, const struct source *source,
	uint64_t size, const char *type)
{
	struct range range = {0};
	enum range_kind kind;
	char etag[64], date[40];
	const char *if_range;

	add_validators(req, st, size, etag, date);
	if (not_modified(req, etag, date)) {
		source_end(source);
		httpd_reply(req, 304, NULL, NULL, 0);
		return;
	}
	kind = range_parse(httpd_header(req, "Range"), size, &range);
	if_range = httpd_header(req, "If-Range");
	if (if_range && strcmp(if_range, etag) != 0 && strcmp(if_range, date) != 0)
		kind = RANGE_NONE;
	if (kind == RANGE_BAD) {
		source_end(source);
		httpd_add_headerf(req, "Content-Range", "bytes */%llu", (unsigned long long)size);
		httpd_reply(req, 416, NULL, NULL, 0);
	} else if (kind == RANGE_ONE) {
		httpd_add_headerf(req, "Content-Range", "bytes %llu-%llu/%llu",
			(unsigned long long)range.first, (unsigned long long)range.last,
			(unsigned long long)size);
		httpd_set_response(
			req, 206, type, body_of(source, range.first, range.last - range.first + 1));
	} else if (!size) {
		source_end(source);
		httpd_reply(req, 200, type, NULL, 0);
	} else {
		httpd_set_response(req, 200, type, body_of(source, 0, size));
	}
}

void httpd_reply_file(struct httpd_req *req, int fd, const char *type)
{
	httpd_reply_file_part(req, fd, UINT64_MAX, type);
}

void httpd_reply_file_part(struct httpd_req *req, int fd, uint64_t bytes, const char *type)
{
	const struct source source = {.fd = fd};
	struct stat st;
	uint64_t size;

	if (!httpd_may_answer(req)) {
		close(fd);
		return;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		httpd_reply_error(req, 500, "the file cannot be read");
		return;
	}
	size = (uint64_t)st.st_size < bytes ? (uint64_t)st.st_size : bytes;
	answer(req, &st, &source, size, type);
}

void httpd_reply_file_data(struct httpd_req *req, const struct stat *st, const void *data,
	uint64_t bytes, const char *type)
{
	const struct source source = {.fd = -1, .data = data};

	if (httpd_may_answer(req))
		answer(req, st, &source, bytes, type);
}
