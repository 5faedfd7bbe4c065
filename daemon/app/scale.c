/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/app/scale.h"

#include "daemon/instance/health.h"
#include "daemon/app/spec.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TARGET_MAX       1e9
#define INTERVAL_MIN_MS  100
#define INTERVAL_MAX_MS  60000
#define DOWN_AFTER_MAX_S 86400
#define NUMBER_BYTES     40

/* --- the field ---------------------------------------------------------------------------------------------------- */
static int unknown_field(
	struct check *c, const json_t *object, const char *const *known, const char *at)
{
	const char *field;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, field, value)
	{
		const char *const *k = known;

		while (*k && strcmp(*k, field) != 0)
			k++;
		if (!*k)
			return check_fail(
				c, "scale", at ? at : field, "scale has no field \"%.40s\"", field);
	}
	return 0;
}

static int copy(struct check *c, const json_t *metric, const char *field, char *out, size_t size)
{
	const char *text = NULL;

	if (check_string(c, "scale", json_object_get(metric, field), size - 1, &text) < 0)
		return -EINVAL;
	if (text)
		snprintf(out, size, "%s", text);
	return 0;
}

static bool is_metric_name(const char *s)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:0123456789";

	return *s && !(*s >= '0' && *s <= '9') && !s[strspn(s, letters)];
}

/* It goes into the line of a request. */
static bool is_path(const char *s)
{
	if (*s != '/')
		return false;
	for (; *s; s++) {
		if (*s <= ' ' || *s > '~')
			return false;
	}
	return true;
}

static int take_metric(struct check *c, const json_t *metric, struct scale_spec *s)
{
	static const char *const known[] = {"service", "port", "path", "name", NULL};

	if (!json_is_object(metric))
		return check_fail(c, "scale", "metric",
			"scale: metric is an object with service, port and name");
	snprintf(s->path, sizeof(s->path), "/metrics");
	if (unknown_field(c, metric, known, "metric") < 0 ||
		check_uint(c, "scale", json_object_get(metric, "port"), 1, 65535, &s->port) < 0 ||
		copy(c, metric, "service", s->service, sizeof(s->service)) < 0 ||
		copy(c, metric, "path", s->path, sizeof(s->path)) < 0 ||
		copy(c, metric, "name", s->name, sizeof(s->name)) < 0)
		return -EINVAL;
	if (!s->port || !app_name_is_valid(s->service, APP_SERVICE_MAX_BYTES) ||
		!is_path(s->path) || !is_metric_name(s->name))
		return check_fail(c, "scale", "metric",
			"scale: metric needs the name of a service, a port, a path and the name of "
			"a metric");
	return 0;
}

static int take_target(struct check *c, const json_t *value, struct scale_spec *s)
{
	s->target = json_number_value(value);
	if (value && !(s->target > 0 && s->target <= TARGET_MAX))
		return check_fail(c, "scale", "target",
			"scale: target: a number above 0, at most %.0f, is wanted", TARGET_MAX);
	return 0;
}

int scale_take(struct check *c, const json_t *value, struct scale_spec *out)
{
	static const char *const known[] = {
		"min", "max", "target", "metric", "interval_ms", "down_after_s", NULL};
	struct scale_spec s = {.interval_ms = 500, .down_after_s = 10};

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_object(value))
		return check_fail(
			c, "scale", NULL, "scale is an object with min, max, target and metric");
	if (unknown_field(c, value, known, NULL) < 0 ||
		check_uint(c, "scale", json_object_get(value, "min"), 0, APP_REPLICAS_MAX, &s.min) <
			0 ||
		check_uint(c, "scale", json_object_get(value, "max"), 1, APP_REPLICAS_MAX, &s.max) <
			0 ||
		take_target(c, json_object_get(value, "target"), &s) < 0 ||
		check_uint(c, "scale", json_object_get(value, "interval_ms"), INTERVAL_MIN_MS,
			INTERVAL_MAX_MS, &s.interval_ms) < 0 ||
		check_uint(c, "scale", json_object_get(value, "down_after_s"), 0, DOWN_AFTER_MAX_S,
			&s.down_after_s) < 0 ||
		take_metric(c, json_object_get(value, "metric"), &s) < 0)
		return -EINVAL;
	if (!s.max || s.min > s.max || s.target <= 0 || !json_object_get(value, "min"))
		return check_fail(c, "scale", NULL,
			"scale needs min, max (at least 1, not below min) and target (above 0)");
	*out = s;
	return 0;
}

/* --- the decision ------------------------------------------------------------------------------------------------- */
static unsigned clamp(const struct scale_spec *spec, unsigned n)
{
	return n < spec->min ? spec->min : n > spec->max ? spec->max : n;
}

static unsigned decide_up(const struct scale_spec *spec, struct scale_state *state, unsigned n,
	double value, int64_t now)
{
	unsigned more = value > 2.0 * spec->target && n ? 2 * n : n + 1;

	state->below_ns = 0;
	/* What was started last has not shown yet what it can do. */
	if (state->up_ns && now - state->up_ns < SCALE_UP_PAUSE_NS)
		return n;
	more = clamp(spec, more);
	if (more != n)
		state->up_ns = now;
	return more;
}

unsigned scale_decide(const struct scale_spec *spec, struct scale_state *state, unsigned replicas,
	double value, int64_t now)
{
	unsigned n = clamp(spec, replicas);

	if (value > spec->target)
		return decide_up(spec, state, n, value, now);
	if (value > spec->target / 2.0) {
		state->below_ns = 0;
		return n;
	}
	if (!state->below_ns)
		state->below_ns = now;
	if (n <= spec->min || now - state->below_ns < (int64_t)spec->down_after_s * 1000000000)
		return n;
	state->below_ns = now;
	return n - 1;
}

/* --- the metric --------------------------------------------------------------------------------------------------- */
/* Behind name and labels of a line: the value, and perhaps a time. */
static int take_value(const char *at, const char *end, double *value)
{
	char text[NUMBER_BYTES];
	size_t n = 0;
	char *stop;

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	while (at + n < end && at[n] != ' ' && at[n] != '\t' && at[n] != '\r')
		n++;
	if (!n || n >= sizeof(text))
		return -EPROTO;
	memcpy(text, at, n);
	text[n] = '\0';
	if (text[strspn(text, "0123456789.eE+-")])
		return -EPROTO;
	*value = strtod(text, &stop);
	return *stop || !isfinite(*value) || *value < 0 ? -EPROTO : 0;
}

/* The end of "{...}", whose texts may hold anything but a line feed; NULL: none. */
static const char *behind_labels(const char *at, const char *end)
{
	bool quoted = false;

	for (; at < end; at++) {
		if (quoted && *at == '\\')
			at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (*at == '}' && !quoted)
			return at + 1;
	}
	return NULL;
}

/* 1: the line is no sample of that name. */
static int take_line(const char *at, const char *end, const char *name, double *value)
{
	size_t n = strlen(name);

	if ((size_t)(end - at) <= n || memcmp(at, name, n) != 0)
		return 1;
	at += n;
	if (*at == '{')
		at = behind_labels(at, end);
	else if (*at != ' ' && *at != '\t')
		return 1;
	return at ? take_value(at, end, value) : -EPROTO;
}

int scale_metric(const char *text, size_t len, const char *name, double *out)
{
	const char *at = text, *end = text + len;
	double sum = 0;
	bool found = false;

	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at)) ?: end;
		double value = 0;
		int r = take_line(at, nl, name, &value);

		if (r < 0)
			return r;
		found = found || r == 0;
		sum += r == 0 ? value : 0;
		at = nl + 1;
	}
	if (found && isfinite(sum))
		*out = sum;
	return found ? isfinite(sum) ? 0 : -EPROTO : -ENOENT;
}

int scale_answer(const char *answer, size_t len, const char *name, double *value)
{
	const char *body = memmem(answer, len, "\r\n\r\n", 4);

	if (!body || health_status(answer, len) != 200)
		return -EPROTO;
	body += 4;
	return scale_metric(body, len - (size_t)(body - answer), name, value);
}
