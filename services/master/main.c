/* SPDX-License-Identifier: Apache-2.0 */
/*
 * master: the broker. A picture that is uploaded becomes a task of db and an input of storage; what workers and pages ask
 * for is relayed. It has no state of its own beyond the requests in flight: any number of masters may run. Here: routes, settings, life.
 */
#include "services/master/master.h"

#include <errno.h>
#include <string.h>

static const struct httpd_route routes[] = {
	{.method = "POST",
		.pattern = "/task",
		.begin = on_upload_begin,
		.part = image_form_part,
		.handler = on_upload,
		.body_max = UINT64_MAX / 4},
	{.method = "GET", .pattern = "/task/next", .handler = on_next},
	{.method = "GET", .pattern = "/task/{id}/ready", .handler = on_is_ready},
	{.method = "GET", .pattern = "/task/{id}/download", .handler = on_download},
	{.method = "POST", .pattern = "/task/{id}/finish", .handler = on_change},
	{.method = "POST", .pattern = "/task/{id}/renew", .handler = on_change},
	{.method = "POST", .pattern = "/task/{id}/fail", .handler = on_change, .body_max = 4 * KIB},
	{.method = "GET", .pattern = "/tasks", .handler = on_list},
	{.method = "GET", .pattern = "/dead", .handler = on_list},
	{.method = "POST", .pattern = "/dead/retry", .handler = on_list},
	{.method = "POST", .pattern = "/dead/{id}/retry", .handler = on_list},
	{.method = "DELETE", .pattern = "/dead/{id}", .handler = on_list},
};

static int fixed(struct service *s, const char *env, const char *key, struct err *err)
{
	const char *value = env_str(env);
	struct endpoint e;

	if (!value)
		return 0;
	if (endpoint_parse(value, &e, err) < 0)
		return err_prefix(err, "%s", env);
	return registry_set(s->registry, key, &e);
}

static int master_start(struct service *s, struct err *err)
{
	struct master *m = calloc(1, sizeof(*m));
	int64_t image, held;

	s->data = m;
	if (!m)
		return err_set(err, ENOMEM, "out of memory");
	m->s = s;
	if (env_int("MICRO_MASTER_MAX_BYTES", 100, INT64_C(1) << 30, 16 * MIB, &image, err) < 0 ||
		env_int("MICRO_MASTER_HELD_BYTES", 100, INT64_C(1) << 40, 64 * MIB, &held, err) <
			0 ||
		env_int("MICRO_MASTER_RETRY_MS", 0, 600000, 3000, &m->retry_ms, err) < 0)
		return -EINVAL;
	m->budget.max_image_bytes = (uint64_t)image;
	m->budget.max_bytes = (uint64_t)held;
	if (fixed(s, "MICRO_DB_ENDPOINT", MASTER_DB, err) < 0 ||
		fixed(s, "MICRO_STORAGE_ENDPOINT", MASTER_STORAGE, err) < 0)
		return -EINVAL;
	if (!s->has_registry &&
		!(env_str("MICRO_DB_ENDPOINT") && env_str("MICRO_STORAGE_ENDPOINT")))
		return err_set(err, EINVAL,
			"where is the registry? Give host:port, or MICRO_DB_ENDPOINT and "
			"MICRO_STORAGE_ENDPOINT");
	return 0;
}

static void master_drain(struct service *s)
{
	ready_drain(s->data);
}

static void master_stop(struct service *s)
{
	free(s->data);
}

static void master_metrics(struct service *s, struct buf *out)
{
	struct master *m = s->data;

	metrics_counter(out, "master_uploads_total", "Pictures that became tasks.", m->uploads);
	metrics_counter(out, "master_relayed_total", "Answers relayed.", m->relayed);
	metrics_gauge(out, "master_held_bytes", "Pictures in memory.", m->budget.held_bytes);
}

int main(int argc, char **argv)
{
	static const struct env_help env[] = {
		{"MICRO_MASTER_MAX_BYTES", "of one picture (default 16777216)"},
		{"MICRO_MASTER_HELD_BYTES", "of all uploads in flight (default 67108864)"},
		{"MICRO_MASTER_RETRY_MS",
			"for how long failing services are tried again (default 3000)"},
		{"MICRO_DB_ENDPOINT", "host:port of db, instead of the registry's"},
		{"MICRO_STORAGE_ENDPOINT", "host:port of storage, instead of the registry's"},
		{0},
	};
	static const struct service_spec spec = {
		.name = "master",
		.summary = "Broker between clients, queue, storage and workers.",
		.port_env = "MICRO_MASTER_PORT",
		.port = 9003,
		.key = "masterendpoint",
		.takes_registry = true,
		.env = env,
		.routes = routes,
		.route_count = ARRAY_SIZE(routes),
		.conn_memory_bytes = 128 * KIB, /* pictures, in few pieces */
		.keeps_memory = true,
		.max_connections = 512,
		.start = master_start,
		.drain = master_drain,
		.stop = master_stop,
		.metrics = master_metrics,
		.error = image_form_error,
	};

	return service_main(&spec, argc, argv);
}
