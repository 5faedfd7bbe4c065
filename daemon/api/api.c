/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/api.h"

#include "daemon/api/dashboard.h"
#include "daemon/api/idempotency.h"
#include "daemon/core.h"
#include "daemon/instance/instance.h"
#include "daemon/network/subnet.h"
#include "lib/log.h"
#include "lib/token.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <strings.h>

#define SOCKET_MODE 0660
#define SOCKET_GROUP                                                                               \
	"uigniter" /* whoever is in it may use the manager, when there is such a group */
#define MEMORY_BYTES (32 * KIB) /* per connection: the image header and some more */

struct api {
	struct core *core;
	struct httpd *httpd;
	struct httpd *page; /* NULL: there is none */
	void (*stopped)(void *arg);
	void *stopped_arg;
	unsigned stopping; /* servers that have not stopped */
	char *token;       /* owned; NULL: callers over TCP need none */
	struct idempotency *keys;
};

struct core *api_core(const struct httpd_req *req)
{
	const struct api *api = httpd_arg(req);

	return api->core;
}

struct idempotency *api_keys(const struct httpd_req *req)
{
	const struct api *api = httpd_arg(req);

	return api->keys;
}

/* "127.x.y.z", "localhost" or "[::1]", each with or without a port. */
static bool is_own_host(const char *host)
{
	static const char *const names[] = {"localhost", "[::1]"};
	char addr[IPV4_TEXT_BYTES];
	size_t len = strcspn(host, ":");
	uint32_t ip;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i]);

		if (strncasecmp(host, names[i], n) == 0 && (!host[n] || host[n] == ':'))
			return true;
	}
	if (len >= sizeof(addr))
		return false;
	memcpy(addr, host, len);
	addr[len] = '\0';
	return ipv4_parse(addr, &ip) == 0 && ip >> 24 == 127;
}

/* With a token a foreign Host is no matter: no page can make a browser show it. */
static bool check_tcp(struct httpd_req *req, const char *host)
{
	const struct api *api = httpd_arg(req);

	if (api->token && token_matches(api->token, httpd_header(req, "Authorization")))
		return true;
	if (api->token) {
		httpd_add_header(req, "WWW-Authenticate", "Bearer realm=\"uigniterd\"");
		answer_problem(req, 401, "unauthorized",
			"the bearer token of --token-file is wanted (Authorization)");
		return false;
	}
	if (host && is_own_host(host))
		return true;
	answer_problem(
		req, 403, "forbidden", "the Host \"%.80s\" is not this manager", host ? host : "");
	return false;
}

void api_guard(struct httpd_req *req)
{
	const char *host = httpd_header(req, "Host"), *origin = httpd_header(req, "Origin");
	char peer[64];

	httpd_peer(req, peer, sizeof(peer));
	if (strcmp(peer, "unix") != 0 && !check_tcp(req, host))
		return;
	if (origin && (strncmp(origin, "http://", 7) != 0 || !is_own_host(origin + 7)))
		answer_problem(req, 403, "forbidden",
			"a page of \"%.80s\" may not call this manager", origin);
}

bool api_is_json(struct httpd_req *req)
{
	static const char json[] = "application/json";
	const char *type = httpd_header(req, "Content-Type");
	size_t n = sizeof(json) - 1;

	if (type && strncasecmp(type, json, n) == 0 &&
		(!type[n] || type[n] == ';' || type[n] == ' '))
		return true;
	answer_problem(req, 415, "unsupported_media_type",
		"the body must have the Content-Type application/json");
	return false;
}

static bool check_upload(struct httpd_req *req, const char *what, uint64_t max_bytes)
{
	const char *type = httpd_header(req, "Content-Type");

	if (type && strcasecmp(type, "application/octet-stream") != 0)
		answer_problem(req, 415, "unsupported_media_type",
			"%s is uploaded with the Content-Type application/octet-stream", what);
	else if (httpd_content_length(req) > (int64_t)max_bytes)
		answer_problem(req, 413, "too_large", "%s has at most %llu MiB", what,
			(unsigned long long)(max_bytes / MIB));
	else
		return true;
	return false;
}

void *api_upload_begin(struct httpd_req *req, const char *what, uint64_t max_bytes, size_t size,
	void (*free_fn)(void *data))
{
	void *upload;

	api_guard(req);
	if (httpd_status(req) || !check_upload(req, what, max_bytes))
		return NULL;
	upload = calloc(1, size);
	if (upload)
		httpd_set_data(req, upload, free_fn);
	else
		answer_problem(req, 500, "internal", "there is no memory");
	return upload;
}

struct instance *api_instance(struct httpd_req *req)
{
	const char *key = httpd_param(req, "id");
	struct instance *inst;
	int r = instances_find(api_core(req)->instances, key, &inst);

	if (r == 0)
		return inst;
	if (r == -EEXIST)
		answer_problem(req, 409, "ambiguous_id",
			"several VMs have ids that begin with \"%.63s\"", key);
	else
		answer_unknown(req, "VM", key, "vm");
	return NULL;
}

static void done(struct httpd_req *req)
{
	struct counters *c = &api_core(req)->counters;
	unsigned status = httpd_status(req);
	char caller[CALLER_TEXT_BYTES];

	c->requests++;
	c->requests_4xx += status >= 400 && status < 500;
	c->requests_5xx += status >= 500;
	answer_caller(req, caller);
	log_debug("request", "caller=\"%s\" method=%s path=\"%.200s\" status=%u us=%lld", caller,
		httpd_method(req), httpd_path(req), status,
		(long long)(httpd_elapsed_ns(req) / 1000));
}

static int listen_all(struct api *api, struct err *err)
{
	const struct config *c = &api->core->config;
	const struct group *group = getgrnam(SOCKET_GROUP);
	char text[IPV4_TEXT_BYTES];
	int r = httpd_listen_unix(api->httpd, c->socket, SOCKET_MODE, err);

	if (r < 0)
		return err_prefix(err, "cannot serve the API at %s", c->socket);
	if (group && chown(c->socket, (uid_t)-1, group->gr_gid) < 0)
		log_warn("cannot give the socket to its group", "path=%s group=%s", c->socket,
			SOCKET_GROUP);
	if (!c->listen_port)
		return 0;
	ipv4_format(c->listen_ip, text);
	r = httpd_listen_tcp(api->httpd, text, c->listen_port, err);
	return r < 0 ? err_prefix(err, "cannot serve the API at %s (see --listen)", c->listen) : 0;
}

static int serve_page(struct api *api, struct err *err)
{
	const struct config *c = &api->core->config;
	char text[IPV4_TEXT_BYTES];
	int r = httpd_new(&(struct httpd_config){.loop = api->core->loop,
				  .routes = dashboard_routes,
				  .route_count = dashboard_route_count,
				  .arg = api,
				  .answer_405 = true,
				  .error = answer_glue_error,
				  .done = done,
				  .max_connections = 64},
		&api->page, err);

	ipv4_format(c->dashboard_ip, text);
	r = r < 0 ? r : httpd_listen_tcp(api->page, text, c->dashboard_port, err);
	return r < 0
		? err_prefix(err, "cannot serve the page at %s (see --dashboard)", c->dashboard)
		: 0;
}

int api_new(struct core *core, struct api **out, struct err *err)
{
	struct api *api = calloc(1, sizeof(*api));
	int r;

	if (!api)
		return err_sys(err, ENOMEM, "API");
	api->core = core;
	api->keys = idempotency_new();
	if (!api->keys) {
		free(api);
		return err_sys(err, ENOMEM, "API");
	}
	r = core->config.token_file ? token_read(core->config.token_file, &api->token, err) : 0;
	if (r < 0) {
		api_free(api);
		return r;
	}
	r = httpd_new(&(struct httpd_config){.loop = core->loop,
			      .routes = api_routes,
			      .route_count = api_route_count,
			      .arg = api,
			      .answer_405 = true,
			      .error = answer_glue_error,
			      .done = done,
			      .max_connections = 1024,
			      .conn_memory_bytes = MEMORY_BYTES},
		&api->httpd, err);
	if (r == 0)
		r = listen_all(api, err);
	if (r == 0 && core->config.dashboard_port)
		r = serve_page(api, err);
	if (r < 0) {
		api_free(api);
		return r;
	}
	*out = api;
	return 0;
}

static void one_stopped(void *arg)
{
	struct api *api = arg;

	if (--api->stopping == 0)
		api->stopped(api->stopped_arg);
}

void api_stop(struct api *api, void (*stopped)(void *arg), void *arg)
{
	api->stopped = stopped;
	api->stopped_arg = arg;
	api->stopping = api->page ? 2 : 1;
	httpd_stop(api->httpd, NS_PER_S / NS_PER_MS, one_stopped, api);
	if (api->page)
		httpd_stop(api->page, NS_PER_S / NS_PER_MS, one_stopped, api);
}

void api_free(struct api *api)
{
	if (!api)
		return;
	if (api->httpd)
		httpd_free(api->httpd);
	if (api->page)
		httpd_free(api->page);
	idempotency_free(api->keys);
	free(api->token);
	free(api);
}
