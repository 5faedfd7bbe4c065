/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of a call: libcurl's callbacks over what the request named (memory, parts, a file, a function), and what takes the answer's.
 */
#include "lib/httpc_impl.h"

#include <errno.h>
#include <string.h>

static size_t on_write(char *data, size_t size, size_t count, void *arg)
{
	struct httpc_call *call = arg;
	size_t len = size * count;

	if (call->on_data) {
		int r = call->on_data(call->arg, httpc_call_status(call), data, len);

		if (r == -EAGAIN)
			return CURL_WRITEFUNC_PAUSE;
		call->refused = r < 0 ? -ECANCELED : 0;
		return call->refused ? 0 : len;
	}
	call->refused = buf_add(&call->body, data, len);
	return call->refused < 0 ? 0 : len;
}

static size_t on_part_read(char *out, size_t size, size_t count, void *arg)
{
	struct part_reader *r = arg;
	size_t n = r->len - r->at;

	if (n > size * count)
		n = size * count;
	if (n)
		memcpy(out, r->data + r->at, n);
	r->at += n;
	return n;
}

static int on_part_seek(void *arg, curl_off_t offset, int origin)
{
	struct part_reader *r = arg;

	if (origin != SEEK_SET || offset < 0 || (size_t)offset > r->len)
		return CURL_SEEKFUNC_CANTSEEK;
	r->at = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

static size_t on_file_read(char *out, size_t size, size_t count, void *arg)
{
	struct httpc_call *call = arg;
	uint64_t left = call->body_len - call->body_at;
	size_t max = size * count < left ? size * count : left;
	ssize_t n = pread(call->body_fd, out, max, (off_t)call->body_at);

	if (n < 0 || (n == 0 && max))
		return CURL_READFUNC_ABORT; /* also a file that has become shorter */
	call->body_at += (uint64_t)n;
	return (size_t)n;
}

static int on_file_seek(void *arg, curl_off_t offset, int origin)
{
	struct httpc_call *call = arg;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > call->body_len)
		return CURL_SEEKFUNC_CANTSEEK;
	call->body_at = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static size_t on_stream_read(char *out, size_t size, size_t count, void *arg)
{
	struct httpc_call *call = arg;
	ssize_t n = call->on_read(call->arg, out, size * count);

	if (n == -EAGAIN)
		return CURL_READFUNC_PAUSE;
	if (n < 0) {
		call->refused = -ECANCELED;
		return CURL_READFUNC_ABORT;
	}
	return (size_t)n;
}

static int add_parts(struct httpc_call *call, const struct httpc_request *q)
{
	if (q->part_count > HTTPC_PARTS_MAX)
		return -E2BIG;
	call->mime = curl_mime_init(call->easy);
	if (!call->mime)
		return -ENOMEM;
	for (size_t i = 0; i < q->part_count; i++) {
		const struct httpc_part *p = &q->parts[i];
		curl_mimepart *part = curl_mime_addpart(call->mime);

		call->reader[i] = (struct part_reader){.data = p->data, .len = p->len};
		if (!part || curl_mime_name(part, p->name) ||
			(p->filename && curl_mime_filename(part, p->filename)) ||
			(p->type && curl_mime_type(part, p->type)) ||
			curl_mime_data_cb(part, (curl_off_t)p->len, on_part_read, on_part_seek,
				NULL, &call->reader[i]))
			return -ENOMEM;
	}
	curl_easy_setopt(call->easy, CURLOPT_MIMEPOST, call->mime);
	return 0;
}

int httpc_body_send(struct httpc_call *call, const struct httpc_request *q)
{
	const char *method = q->method ? q->method : "GET";
	CURL *easy = call->easy;

	if (q->on_read && q->read_len != 0) {
		curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_stream_read);
		curl_easy_setopt(easy, CURLOPT_READDATA, call);
		curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->read_len);
	} else if (q->part_count) {
		int r = add_parts(call, q);

		if (r < 0)
			return r;
	} else if (q->body_fd_len) {
		call->body_fd = q->body_fd;
		call->body_len = q->body_fd_len;
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_file_read);
		curl_easy_setopt(easy, CURLOPT_READDATA, call);
		curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_file_seek);
		curl_easy_setopt(easy, CURLOPT_SEEKDATA, call);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_fd_len);
	} else if (q->len || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, q->len ? q->body : "");
	} else if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
	return 0;
}

void httpc_body_receive(struct httpc_call *call)
{
	curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
}
