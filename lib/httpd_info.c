/* SPDX-License-Identifier: Apache-2.0 */
/* What the owner of a request may ask about it. */
#include "lib/httpd_impl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

void *httpd_arg(const struct httpd_req *req)
{
	return req->h->cfg.arg;
}

const struct httpd_route *httpd_route(const struct httpd_req *req)
{
	return req->route;
}

const char *httpd_method(const struct httpd_req *req)
{
	return req->method;
}

bool httpd_is_head(const struct httpd_req *req)
{
	return req->head;
}

const char *httpd_target(const struct httpd_req *req)
{
	return req->target;
}

const char *httpd_path(const struct httpd_req *req)
{
	return req->path.raw ? req->path.raw : req->target;
}

const char *httpd_param(const struct httpd_req *req, const char *name)
{
	size_t len = strlen(name);

	for (unsigned int i = 0; i < req->params.count; i++) {
		if (req->params.item[i].name_len == len &&
			memcmp(req->params.item[i].name, name, len) == 0)
			return req->params.item[i].value;
	}
	return NULL;
}

struct find_arg {
	const char *name, *value;
};

static enum MHD_Result find_arg(
	void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct find_arg *f = arg;

	(void)kind;
	if (strcmp(key, f->name) != 0)
		return MHD_YES;
	f->value = value ? value : "";
	return MHD_NO;
}

const char *httpd_query(const struct httpd_req *req, const char *name)
{
	struct find_arg f = {.name = name};

	MHD_get_connection_values(req->mhd, MHD_GET_ARGUMENT_KIND, find_arg, &f);
	return f.value;
}

const char *httpd_header(const struct httpd_req *req, const char *name)
{
	return MHD_lookup_connection_value(req->mhd, MHD_HEADER_KIND, name);
}

struct each_header {
	httpd_header_fn *fn;
	void *arg;
};

static enum MHD_Result each_header(
	void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	const struct each_header *each = arg;

	(void)kind;
	return each->fn(each->arg, name, value ? value : "") ? MHD_YES : MHD_NO;
}

void httpd_each_header(const struct httpd_req *req, httpd_header_fn *fn, void *arg)
{
	struct each_header each = {.fn = fn, .arg = arg};

	MHD_get_connection_values(req->mhd, MHD_HEADER_KIND, each_header, &each);
}

const char *httpd_body(const struct httpd_req *req, size_t *len)
{
	if (len)
		*len = req->body.len;
	return req->body.data ? req->body.data : "";
}

int64_t httpd_content_length(const struct httpd_req *req)
{
	const char *s = httpd_header(req, "Content-Length");
	unsigned long long n;
	char *end;

	if (!s)
		return httpd_header(req, "Transfer-Encoding") ? -1 : 0;
	errno = 0;
	n = strtoull(s, &end, 10);
	return errno || *end || n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

bool httpd_is_form(const struct httpd_req *req)
{
	return req->is_form;
}

void httpd_peer(const struct httpd_req *req, char *out, size_t size)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(req->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *sa = info ? info->client_addr : NULL;
	char host[INET6_ADDRSTRLEN] = "";

	if (sa && sa->sa_family == AF_INET) {
		const struct sockaddr_in *sin = (const void *)sa;

		snprintf(out, size, "%s:%u", inet_ntop(AF_INET, &sin->sin_addr, host, sizeof(host)),
			ntohs(sin->sin_port));
	} else if (sa && sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *sin6 = (const void *)sa;

		snprintf(out, size, "[%s]:%u",
			inet_ntop(AF_INET6, &sin6->sin6_addr, host, sizeof(host)),
			ntohs(sin6->sin6_port));
	} else {
		snprintf(out, size, "unix");
	}
}

int httpd_fd(const struct httpd_req *req)
{
	return req->conn->fd;
}

void httpd_set_data(struct httpd_req *req, void *data, void (*free_fn)(void *data))
{
	req->data = data;
	req->data_free = free_fn;
}

void *httpd_data(const struct httpd_req *req)
{
	return req->data;
}

void httpd_set_layer(struct httpd_req *req, const struct httpd_layer *layer, void *data)
{
	req->layer = layer;
	req->layer_data = data;
}

void *httpd_layer_data(const struct httpd_req *req)
{
	return req->layer_data;
}

unsigned int httpd_status(const struct httpd_req *req)
{
	return req->status;
}

int64_t httpd_elapsed_ns(const struct httpd_req *req)
{
	return loop_now_ns() - req->start_ns;
}
