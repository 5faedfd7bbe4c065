/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/instance/health.h"

#include "lib/util.h"

#include <errno.h>
#include <string.h>

#define INTERVAL_DEFAULT_MS 10000
#define TIMEOUT_DEFAULT_MS  2000
#define RETRIES_DEFAULT     3
#define PERIOD_MAX_MS       3600000

const char *const health_state_names[] = {"starting", "healthy", "unhealthy", NULL};

/* No blanks and nothing that could end the line of a request. */
static bool is_path(const char *path)
{
	if (*path != '/')
		return false;
	for (; *path; path++) {
		if (*path <= ' ' || *path > '~')
			return false;
	}
	return true;
}

static int take_http(struct check *c, const json_t *http, struct health_spec *s)
{
	const char *path = "/";
	unsigned port = 0;

	if (!json_is_object(http))
		return check_fail(c, "health", "http", "health: http: {port, path} is wanted");
	if (check_uint(c, "health/http/port", json_object_get(http, "port"), 1, 65535, &port) < 0 ||
		check_string(c, "health/http/path", json_object_get(http, "path"),
			HEALTH_PATH_BYTES - 1, &path) < 0)
		return -EINVAL;
	if (!port)
		return check_fail(c, "health/http/port", NULL, "health: http: port is wanted");
	if (!is_path(path))
		return check_fail(
			c, "health/http/path", NULL, "health: http: \"%.80s\" is no path", path);
	s->kind = HEALTH_HTTP;
	s->port = (uint16_t)port;
	snprintf(s->path, sizeof(s->path), "%s", path);
	return 0;
}

static int take_kind(struct check *c, const json_t *value, struct health_spec *s)
{
	const json_t *tcp = json_object_get(value, "tcp"), *http = json_object_get(value, "http");
	unsigned port = 0;

	if (!tcp == !http)
		return check_fail(c, "health", NULL, "health: either tcp or http is wanted");
	if (http)
		return take_http(c, http, s);
	if (check_uint(c, "health/tcp", tcp, 1, 65535, &port) < 0)
		return -EINVAL;
	if (!port)
		return check_fail(c, "health/tcp", NULL, "health: tcp: a port is wanted");
	s->kind = HEALTH_TCP;
	s->port = (uint16_t)port;
	return 0;
}

static int only_known(struct check *c, json_t *value)
{
	static const char *const known[] = {
		"tcp", "http", "interval_ms", "timeout_ms", "retries", "start_period_ms"};
	const char *key;
	json_t *item;

	json_object_foreach(value, key, item)
	{
		size_t i = 0;

		while (i < ARRAY_SIZE(known) && strcmp(known[i], key) != 0)
			i++;
		if (i == ARRAY_SIZE(known))
			return check_fail(c, "health", key, "health: there is no field %.40s", key);
	}
	return 0;
}

int health_take(struct check *c, const char *field, const json_t *value, struct health_spec *out)
{
	struct health_spec s = {.interval_ms = INTERVAL_DEFAULT_MS,
		.timeout_ms = TIMEOUT_DEFAULT_MS,
		.retries = RETRIES_DEFAULT};

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_object(value))
		return check_fail(c, field, NULL, "health: an object with tcp or http is wanted");
	if (only_known(c, (json_t *)(uintptr_t)value) < 0 || take_kind(c, value, &s) < 0 ||
		check_uint(c, "health/interval_ms", json_object_get(value, "interval_ms"), 100,
			PERIOD_MAX_MS, &s.interval_ms) < 0 ||
		check_uint(c, "health/timeout_ms", json_object_get(value, "timeout_ms"), 10, 60000,
			&s.timeout_ms) < 0 ||
		check_uint(c, "health/retries", json_object_get(value, "retries"), 1, 100,
			&s.retries) < 0 ||
		check_uint(c, "health/start_period_ms", json_object_get(value, "start_period_ms"),
			0, PERIOD_MAX_MS, &s.start_period_ms) < 0)
		return -EINVAL;
	*out = s;
	return 0;
}

json_t *health_spec_json(const struct health_spec *s)
{
	json_t *spec;

	if (s->kind == HEALTH_NONE)
		return json_null();
	spec = json_pack("{s:i, s:i, s:i, s:i}", "interval_ms", (int)s->interval_ms, "timeout_ms",
		(int)s->timeout_ms, "retries", (int)s->retries, "start_period_ms",
		(int)s->start_period_ms);
	if (s->kind == HEALTH_TCP)
		json_object_set_new(spec, "tcp", json_integer(s->port));
	else
		json_object_set_new(spec, "http",
			json_pack("{s:i, s:s}", "port", (int)s->port, "path", s->path));
	return spec;
}

bool health_count(struct health_tally *t, const struct health_spec *s, bool good, int64_t age_ns)
{
	enum health_state before = t->state;

	if (good) {
		t->failures = 0;
		t->state = HEALTH_HEALTHY;
		return before != t->state;
	}
	if (t->state == HEALTH_STARTING && age_ns < (int64_t)s->start_period_ms * NS_PER_MS)
		return false;
	if (t->failures < s->retries)
		t->failures++;
	if (t->failures == s->retries)
		t->state = HEALTH_UNHEALTHY;
	return before != t->state;
}

/* "HTTP/1.1 200" (RFC 9112, 4): the version's digits are not of interest. */
int health_status(const char *data, size_t len)
{
	static const char form[] = "HTTP/d.d ddd";
	int status = 0;

	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		if (i == len)
			return -EAGAIN;
		if (form[i] == 'd' ? data[i] < '0' || data[i] > '9' : data[i] != form[i])
			return -EPROTO;
		if (i >= sizeof(form) - 1 - 3)
			status = status * 10 + (data[i] - '0');
	}
	return status;
}
