/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/fn/spec.h"

#include "daemon/api/run_request.h"
#include "daemon/hash.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>

static const char *const passed[] = {"args", "cmdline", "env", "labels", "memory_mib", "vcpus",
	"monitor", "network", "volumes", "trace"};

/* Fields that are numbers. */
static const struct {
	const char *name;
	unsigned min, max, value; /* value: where nothing is said */
	size_t at;
} numbers[] = {
	{"port", 1, 65535, 0, offsetof(struct fn_spec, port)},
	{"min", 0, FN_MAX_MAX, 0, offsetof(struct fn_spec, min)},
	{"max", 1, FN_MAX_MAX, 4, offsetof(struct fn_spec, max)},
	{"concurrency", 1, FN_CONCURRENCY_MAX, 16, offsetof(struct fn_spec, concurrency)},
	{"queue", 0, FN_QUEUE_MAX, 256, offsetof(struct fn_spec, queue)},
	{"idle_s", 0, FN_IDLE_MAX_S, 60, offsetof(struct fn_spec, idle_s)},
	{"start_timeout_ms", 1, FN_TIMEOUT_MAX_MS, 30000,
		offsetof(struct fn_spec, start_timeout_ms)},
	{"timeout_ms", 1, FN_TIMEOUT_MAX_MS, 60000, offsetof(struct fn_spec, timeout_ms)},
};

static unsigned *number_at(struct fn_spec *spec, size_t n)
{
	return (unsigned *)(void *)((char *)spec + numbers[n].at);
}

static bool is_own(const char *field)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (strcmp(numbers[i].name, field) == 0)
			return true;
	}
	return strcmp(field, "image") == 0;
}

static int take_numbers(struct fn_spec *spec, struct check *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		unsigned *at = number_at(spec, i);

		*at = numbers[i].value;
		if (check_uint(c, numbers[i].name, json_object_get(spec->spec, numbers[i].name),
			    numbers[i].min, numbers[i].max, at) < 0)
			return -EINVAL;
	}
	if (spec->min > spec->max)
		return check_fail(
			c, "min", NULL, "min: %u is more than max, %u", spec->min, spec->max);
	return 0;
}

/* What it says of its instances, as the body of a run. */
static int make_request(struct fn_spec *spec, struct check *c)
{
	json_t *image = json_object_get(spec->spec, "image"), *value;
	const char *field;

	json_object_foreach(spec->spec, field, value)
	{
		if (is_one_of(field, passed, ARRAY_SIZE(passed)))
			json_object_set(spec->request, field, value);
		else if (!is_own(field))
			return check_fail(
				c, field, NULL, "a function has no field \"%.40s\"", field);
	}
	if (!json_is_string(image))
		return check_fail(c, "image", NULL, "image: the name of an image is wanted");
	return json_object_set(spec->request, "image_name", image) < 0
		? check_fail(c, "image", NULL, "image: no memory")
		: 0;
}

static int check_request(const struct fn_spec *spec, struct check *c)
{
	struct run_request q;

	if (run_request_take(spec->request, &q, c) < 0) {
		if (strcmp(c->pointer, "/image_name") == 0)
			snprintf(c->pointer, sizeof(c->pointer), "/image");
		return -EINVAL;
	}
	run_request_fini(&q);
	return 0;
}

int fn_spec_parse(json_t *root, struct fn_spec *out, struct check *c)
{
	struct fn_spec spec = {.spec = json_incref(root), .request = json_object()};

	*c = (struct check){.pointer = ""};
	if (take_numbers(&spec, c) < 0 || make_request(&spec, c) < 0 ||
		check_request(&spec, c) < 0) {
		fn_spec_fini(&spec);
		return -EINVAL;
	}
	*out = spec;
	return 0;
}

void fn_spec_fini(struct fn_spec *spec)
{
	json_decref(spec->spec);
	json_decref(spec->request);
	*spec = (struct fn_spec){0};
}

json_t *fn_spec_json(const struct fn_spec *spec)
{
	json_t *root = json_copy(spec->spec);
	struct fn_spec numbers_of = *spec;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		unsigned value = *number_at(&numbers_of, i);

		if (value || numbers[i].min == 0)
			json_object_set_new(root, numbers[i].name, json_integer(value));
	}
	return root;
}

uint64_t fn_spec_hash(const struct fn_spec *spec, const char *image_digest)
{
	_cleanup_free_ char *text = json_dumps(spec->request, JSON_COMPACT | JSON_SORT_KEYS);
	uint64_t hash = text ? hash_bytes(text, strlen(text)) : 0;

	return (hash ^ hash_bytes(image_digest, strlen(image_digest))) + spec->port;
}
