/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvstore: the registry. GET /{key} answers the first living value as text; POST /{key} adds one, first write wins. With
 * "ttl" (seconds) in the JSON a value must be renewed and others may join it: GET /{key}?all=1 lists them, DELETE takes
 * one back. Nothing is stored on disk: who is alive registers again within seconds.
 *
 * On a port of its own it speaks memcached's text protocol (mc_session.h), to a cache within a limit of memory. The two
 * faces share their keys: each reads what the other holds. A key belongs to the face that wrote it first.
 */
#include "services/common/service.h"
#include "services/kvstore/mc_server.h"
#include "services/kvstore/store.h"

#include "lib/jsonx.h"
#include "lib/log.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define BODY_MAX_BYTES (100 * KIB) /* as the body parser of Express has it */
#define TTL_MAX_S      86400
#define HTML           "text/html; charset=utf-8"

#define MC_PORT 11211

struct kvstore {
	struct store *store;
	struct mc_shared shared;
	struct mc_server *server; /* NULL: the port is off */
};

/* A form's field "value" while it is read. */
struct form {
	struct buf value;
	bool seen;
};

static struct store *store_of(const struct httpd_req *req)
{
	return ((struct kvstore *)service_of(req)->data)->store;
}

/* What a client of the other face stored under the key, or NULL. */
static struct item *cached(const struct httpd_req *req, const char *key)
{
	struct kvstore *kv = service_of(req)->data;
	size_t len = strlen(key);

	return mc_key_ok(key, len) ? cache_get(kv->shared.cache, key, len, loop_now_ns()) : NULL;
}

static void not_found(struct httpd_req *req)
{
	httpd_reply(req, 404, HTML, "Key not found", 13);
}

static void list_all(struct httpd_req *req, const char *key)
{
	_cleanup_json_ json_t *json = json_pack("{s:[]}", "values");
	int64_t now = loop_now_ns();
	struct item *item;
	const char *value;
	char *text;

	for (size_t i = 0; (value = store_get(store_of(req), key, i, now)); i++)
		json_array_append_new(json_object_get(json, "values"), json_string(value));
	item = cached(req, key);
	if (item) /* null when it is no text */
		json_array_append_new(json_object_get(json, "values"),
			json_stringn(item_value(item), item->size) ?: json_null());
	text = json_dumps(json, JSON_COMPACT);
	if (text)
		httpd_reply_take(req, 200, "application/json; charset=utf-8", text, strlen(text));
}

static void on_get(struct httpd_req *req)
{
	const char *key = httpd_param(req, "key");
	const char *value = store_get(store_of(req), key, 0, loop_now_ns());
	struct item *item = value ? NULL : cached(req, key);

	if (!value && !item)
		not_found(req);
	else if (httpd_query(req, "all"))
		list_all(req, key);
	else if (item)
		httpd_reply(req, 200, HTML, item_value(item), item->size);
	else
		httpd_reply(req, 200, HTML, value, strlen(value));
}

static void put(struct httpd_req *req, const char *value, int64_t ttl_s)
{
	int r = 0;

	if (*value && !cached(req, httpd_param(req, "key"))) /* the first write wins */
		r = store_put(store_of(req), httpd_param(req, "key"), value, ttl_s * NS_PER_S,
			loop_now_ns());
	if (r == -EMSGSIZE)
		httpd_reply_error(req, 413, "the key or the value is too long");
	else if (r < 0)
		httpd_reply_error(req, 507, "the registry is full");
	else
		httpd_reply(req, 200, NULL, NULL, 0);
}

/* The value of a JSON body as text; what is not a string is kept as JSON. NULL: none. Owned by the caller. */
static char *value_text(const json_t *json)
{
	json_t *v = json_object_get(json, "value");

	if (!v || json_is_null(v))
		return strdup("");
	return json_is_string(v) ? strdup(json_string_value(v))
				 : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
}

static bool is_json(const struct httpd_req *req)
{
	const char *type = httpd_header(req, "Content-Type");

	return type && strncasecmp(type, "application/json", 16) == 0;
}

/* 0, or the request has been answered. */
static int parse_body(struct httpd_req *req, json_t **json)
{
	struct err err = {0};
	size_t len;
	const char *body = httpd_body(req, &len);

	if (jsonx_parse(body, len, 16, json, &err) == 0 &&
		(json_is_object(*json) || json_is_array(*json)))
		return 0;
	httpd_reply_error(req, 400, err.code ? err.msg : "an object is expected");
	return -EINVAL;
}

static void on_post(struct httpd_req *req)
{
	_cleanup_json_ json_t *json = NULL;
	_cleanup_free_ char *value = NULL;
	const struct form *form = httpd_data(req);
	struct err err = {0};
	int64_t ttl = 0;

	if (httpd_is_form(req)) {
		put(req, form && form->value.data ? form->value.data : "", 0);
		return;
	}
	if (!is_json(req)) {
		put(req, "", 0); /* the original stores nothing either, and says 200 */
		return;
	}
	if (parse_body(req, &json) < 0)
		return;
	if (jsonx_opt_int(json, "ttl", 1, TTL_MAX_S, &ttl, &err) < 0) {
		httpd_reply_error(req, 400, err.msg);
		return;
	}
	value = value_text(json);
	if (value)
		put(req, value, ttl);
	else
		httpd_reply_error(req, 500, "out of memory");
}

static void form_free(void *data)
{
	struct form *form = data;

	buf_fini(&form->value);
	free(form);
}

static int on_field(
	struct httpd_req *req, const struct httpd_part *part, const void *data, size_t len)
{
	struct form *form = httpd_data(req);

	if (part->multipart || strcmp(part->name, "value") != 0)
		return 0;
	if (!form) {
		form = calloc(1, sizeof(*form));
		if (!form)
			return -ENOMEM;
		httpd_set_data(req, form, form_free);
	}
	return buf_add(&form->value, data, len);
}

static void on_delete(struct httpd_req *req)
{
	_cleanup_json_ json_t *json = NULL;
	const char *value;
	struct err err = {0};

	if (parse_body(req, &json) < 0)
		return;
	if (jsonx_str(json, "value", STORE_VALUE_MAX_BYTES, &value, &err) < 0)
		httpd_reply_error(req, 400, err.msg);
	else if (store_remove(store_of(req), httpd_param(req, "key"), value, loop_now_ns()))
		httpd_reply(req, 200, NULL, NULL, 0);
	else
		not_found(req);
}

static const struct httpd_route routes[] = {
	{.method = "GET", .pattern = "/{key}", .handler = on_get},
	{.method = "POST",
		.pattern = "/{key}",
		.handler = on_post,
		.part = on_field,
		.buffer_other = true,
		.body_max = BODY_MAX_BYTES},
	{.method = "DELETE", .pattern = "/{key}", .handler = on_delete, .body_max = BODY_MAX_BYTES},
};

static int preload(struct store *store, struct err *err)
{
	static const char *const names[][2] = {
		{"MICRO_MASTER_ENDPOINT", "masterendpoint"},
		{"MICRO_DB_ENDPOINT", "dbendpoint"},
		{"MICRO_STORAGE_ENDPOINT", "storageendpoint"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = env_str(names[i][0]);
		int r = value ? store_put(store, names[i][1], value, 0, loop_now_ns()) : 0;

		if (r < 0)
			return err_set(err, -r, "%s cannot be stored", names[i][0]);
	}
	return 0;
}

/* The port that nobody asked for may be taken, by a memcached for one: the registry goes on without. */
static int listen_memcached(struct service *s, int64_t connections, int64_t stall, struct err *err)
{
	struct kvstore *kv = s->data;
	bool asked = env_str("MICRO_MEMCACHED_PORT");
	_cleanup_close_ int fd = -1;
	uint16_t got = 0;
	int64_t port;
	int r = env_int("MICRO_MEMCACHED_PORT", -1, 65535, MC_PORT, &port, err);

	if (r < 0 || port < 0)
		return r;
	fd = service_bind((uint16_t)port, &got, err);
	if (fd < 0 && !asked && err->code == EADDRINUSE) {
		log_warn("memcached's port is taken", "port=%d", MC_PORT);
		*err = (struct err){0};
		return 0;
	}
	if (fd < 0)
		return fd;
	r = mc_server_new(&(struct mc_config){.loop = s->loop,
				  .fd = fd,
				  .shared = &kv->shared,
				  .connections_max = (unsigned int)connections,
				  .stall_s = stall},
		&kv->server, err);
	if (r < 0)
		return r;
	steal_fd(&fd);
	log_info("memcached's protocol", "memcached_port=%u", got);
	return 0;
}

static int start_memcached(struct service *s, struct err *err)
{
	struct kvstore *kv = s->data;
	int64_t memory, value, buffer, connections, stall;

	if (env_int("MICRO_MEMCACHED_MEMORY_MIB", 1, 1 << 20, 64, &memory, err) < 0 ||
		env_int("MICRO_MEMCACHED_VALUE_BYTES", 1, 1 << 30, MIB, &value, err) < 0 ||
		env_int("MICRO_MEMCACHED_BUFFER_MIB", 1, 1 << 20, 16, &buffer, err) < 0 ||
		env_int("MICRO_MEMCACHED_CONNECTIONS", 1, 65536, 512, &connections, err) < 0 ||
		env_int("MICRO_MEMCACHED_STALL_S", 1, 86400, 60, &stall, err) < 0)
		return -EINVAL;
	kv->shared.store = kv->store;
	kv->shared.item_max = (size_t)value;
	kv->shared.buffer_max = (size_t)buffer * MIB;
	if (cache_new((size_t)memory * MIB, &kv->shared.cache) < 0)
		return err_set(err, ENOMEM, "out of memory");
	return listen_memcached(s, connections, stall, err);
}

static int kv_start(struct service *s, struct err *err)
{
	struct kvstore *kv = calloc(1, sizeof(*kv));
	int r;

	s->data = kv;
	if (!kv || store_new(&kv->store) < 0)
		return err_set(err, ENOMEM, "out of memory");
	r = preload(kv->store, err);
	return r < 0 ? r : start_memcached(s, err);
}

/* Commands are answered as they come: nothing is in flight. */
static void kv_drain(struct service *s)
{
	struct kvstore *kv = s->data;

	mc_server_free(steal_ptr(&kv->server));
}

static void kv_stop(struct service *s)
{
	struct kvstore *kv = s->data;

	if (!kv)
		return;
	mc_server_free(kv->server);
	cache_free(kv->shared.cache);
	store_free(kv->store);
	free(kv);
}

static void kv_metrics(struct service *s, struct buf *out)
{
	const struct kvstore *kv = s->data;
	struct cache_counts cache;
	size_t keys, bytes;

	store_count(kv->store, loop_now_ns(), &keys, &bytes);
	metrics_gauge(out, "registry_keys", "Keys with a living value.", keys);
	metrics_gauge(out, "registry_bytes", "Bytes of keys and values.", bytes);
	cache_count(kv->shared.cache, &cache);
	metrics_gauge(out, "cache_items", "Items of memcached's face.", cache.items);
	metrics_gauge(out, "cache_bytes", "Bytes of these items.", cache.bytes);
	metrics_counter(out, "cache_evictions_total", "Items that had to go.", cache.evictions);
	metrics_gauge(out, "cache_connections", "Connections to memcached's face.",
		kv->shared.n.curr_connections);
}

int main(int argc, char **argv)
{
	static const struct env_help env[] = {
		{"MICRO_MASTER_ENDPOINT",
			"preloads masterendpoint (host:port); also MICRO_DB_ENDPOINT,"},
		{"", "MICRO_STORAGE_ENDPOINT"},
		{"MICRO_MEMCACHED_PORT",
			"of memcached's text protocol (default 11211; 0: any; -1: off)"},
		{"MICRO_MEMCACHED_MEMORY_MIB", "limit of its items (default 64)"},
		{"MICRO_MEMCACHED_VALUE_BYTES", "limit of one value (default 1048576)"},
		{"MICRO_MEMCACHED_CONNECTIONS", "default 512"},
		{"MICRO_MEMCACHED_BUFFER_MIB",
			"what clients may have in flight together (default 16)"},
		{"MICRO_MEMCACHED_STALL_S", "how long a client may stop half-way (default 60)"},
		{0},
	};
	static const struct service_spec spec = {
		.name = "kvstore",
		.summary = "Registry of services: type -> addresses.",
		.port_env = "MICRO_KEYVALUESTORE_PORT",
		.port = 9000,
		.env = env,
		.routes = routes,
		.route_count = ARRAY_SIZE(routes),
		.max_connections = 1024,
		.start = kv_start,
		.drain = kv_drain,
		.stop = kv_stop,
		.metrics = kv_metrics,
	};

	return service_main(&spec, argc, argv);
}
