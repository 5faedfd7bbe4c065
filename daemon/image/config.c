/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/image/config.h"

#include "daemon/config.h"
#include "daemon/template/exercise.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#define CMD_MAX    256
#define ENV_MAX    256
#define PORTS_MAX  64
#define LABELS_MAX 64

static int check_cmd(struct check *c, const char *field, const json_t *value)
{
	int r = check_strings(c, field, value, CMD_MAX);

	if (r == 0 && json_is_array(value) &&
		(json_array_size(value) == 0 || json_string_length(json_array_get(value, 0)) == 0))
		return check_fail(c, field, NULL, "%s: the first word must name a program", field);
	return r;
}

static int check_env(struct check *c, const char *field, const json_t *value)
{
	return check_map(c, field, value, ENV_MAX, true);
}

static int check_labels(struct check *c, const char *field, const json_t *value)
{
	return check_map(c, field, value, LABELS_MAX, false);
}

static int check_memory(struct check *c, const char *field, const json_t *value)
{
	unsigned out;

	return check_uint(c, field, value, CONFIG_MEMORY_MIB_MIN, CONFIG_MEMORY_MIB_MAX, &out);
}

static int check_ports(struct check *c, const char *field, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(value) || json_array_size(value) > PORTS_MAX)
		return check_fail(c, field, NULL, "%s: a list of at most %d port numbers is wanted",
			field, PORTS_MAX);
	json_array_foreach(value, i, item)
	{
		if (!json_is_integer(item) || json_integer_value(item) < 1 ||
			json_integer_value(item) > 65535)
			return check_fail(
				c, field, NULL, "%s: entry %zu is no port number", field, i);
	}
	return 0;
}

static int check_readiness(struct check *c, const char *field, const json_t *value)
{
	const json_t *port = json_object_get(value, "port");
	unsigned out;

	if (!json_is_object(value) || !port || json_object_size(value) != 1)
		return check_fail(c, field, NULL, "%s: {\"port\": N} is wanted", field);
	return check_uint(c, "readiness/port", port, 1, 65535, &out);
}

static int check_warm(struct check *c, const char *field, const json_t *value)
{
	const json_t *requests = json_object_get(value, "requests");
	const char *path = json_string_value(json_object_get(value, "path"));
	unsigned out;

	if (!json_is_object(value) || !path || path[0] != '/' ||
		strlen(path) >= EXERCISE_PATH_BYTES || path[strcspn(path, " \r\n\t")] ||
		json_object_size(value) != 1 + (requests != NULL))
		return check_fail(c, field, NULL,
			"%s: {\"path\": \"/...\"} is wanted, and perhaps \"requests\": N", field);
	return requests ? check_uint(c, "warm/requests", requests, 1, EXERCISE_REQUESTS_MAX, &out)
			: 0;
}

static bool is_absolute(const json_t *value)
{
	const char *path = json_string_value(value);

	return path && path[0] == '/' && strlen(path) < PATH_MAX;
}

static int check_process(struct check *c, const char *field, const json_t *value)
{
	const json_t *root = json_object_get(value, "root");
	size_t known = 1 + (root != NULL);

	if (!json_is_object(value) || !is_absolute(json_object_get(value, "program")))
		return check_fail(
			c, field, "program", "process.program: an absolute path is wanted");
	if (root && !is_absolute(root))
		return check_fail(c, field, "root", "process.root: an absolute path is wanted");
	if (json_object_size(value) != known)
		return check_fail(c, field, NULL, "process: only program and root are known");
	return 0;
}

static const struct {
	const char *name;
	int (*check)(struct check *c, const char *field, const json_t *value);
} fields[] = {
	{"cmd", check_cmd},
	{"env", check_env},
	{"memory_mib", check_memory},
	{"ports", check_ports},
	{"readiness", check_readiness},
	{"warm", check_warm},
	{"process", check_process},
	{"labels", check_labels},
};

static int check_field(struct check *c, const char *name, const json_t *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcmp(fields[i].name, name) == 0)
			return json_is_null(value)
				? check_fail(c, name, NULL, "%s: null is no value", name)
				: fields[i].check(c, name, value);
	}
	return check_fail(
		c, name, NULL, "there is no field \"%.40s\" in an image's configuration", name);
}

int image_config_check(const json_t *config, struct check *c)
{
	json_t *object = (json_t *)(uintptr_t)config;
	const char *name;
	json_t *value;
	int r = 0;

	if (!json_is_object(config))
		return check_fail(c, NULL, NULL, "a JSON object is wanted");
	json_object_foreach(object, name, value)
	{
		r = check_field(c, name, value);
		if (r < 0)
			break;
	}
	return r;
}

json_t *image_config_patch(const json_t *config, const json_t *patch, struct check *c)
{
	json_t *given = (json_t *)(uintptr_t)patch, *value;
	json_t *result = json_copy((json_t *)(uintptr_t)config);
	const char *name;

	if (!json_is_object(patch)) {
		json_decref(result);
		check_fail(c, NULL, NULL, "a JSON object is wanted");
		return NULL;
	}
	json_object_foreach(given, name, value)
	{
		if (json_is_null(value))
			json_object_del(result, name);
		else
			json_object_set(result, name, value);
	}
	if (image_config_check(result, c) < 0) {
		json_decref(result);
		return NULL;
	}
	return result;
}

unsigned image_config_memory_mib(const json_t *config)
{
	return (unsigned)json_integer_value(json_object_get(config, "memory_mib"));
}

unsigned image_config_ready_port(const json_t *config)
{
	const json_t *port = json_object_get(json_object_get(config, "readiness"), "port");

	if (!port)
		port = json_array_get(json_object_get(config, "ports"), 0);
	return (unsigned)json_integer_value(port);
}

const char *image_config_warm(const json_t *config, unsigned *requests)
{
	const json_t *warm = json_object_get(config, "warm");
	json_int_t n = json_integer_value(json_object_get(warm, "requests"));

	*requests = n ? (unsigned)n : EXERCISE_REQUESTS;
	return json_string_value(json_object_get(warm, "path"));
}

const char *image_config_process(const json_t *config, const char *field)
{
	return json_string_value(json_object_get(json_object_get(config, "process"), field));
}
