/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/app/spec.h"

#include "daemon/api/run_request.h"
#include "daemon/app/refs.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>

#define STOP_DEFAULT_S 10
#define STOP_MAX_S     3600

bool app_name_is_valid(const char *name, size_t max)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= max && !name[len] && name[0] != '-';
}

int app_spec_find(const struct app_spec *spec, const char *name, size_t len)
{
	for (unsigned s = 0; s < spec->count; s++) {
		if (strlen(spec->services[s].name) == len &&
			memcmp(spec->services[s].name, name, len) == 0)
			return (int)s;
	}
	return -1;
}

/* The check's place is within this service. */
static int in_service(struct check *c, const char *name)
{
	char pointer[sizeof(c->pointer)];

	snprintf(pointer, sizeof(pointer), "/services/%s%.120s", name, c->pointer);
	memcpy(c->pointer, pointer, sizeof(pointer));
	err_prefix(&c->err, "service %s", name);
	return -EINVAL;
}

/* --- fields ------------------------------------------------------------------------------------------------------ */
static const char *const passed[] = {"args", "cmdline", "env", "labels", "memory_mib", "vcpus",
	"monitor", "network", "ports", "volumes", "vsock", "trace", "health", "limits"};

static bool is_own(const char *field)
{
	static const char *const own[] = {
		"image", "replicas", "depends_on", "restart", "stop_timeout_s", "scale"};

	return is_one_of(field, own, ARRAY_SIZE(own));
}

/* What it says of its instances, as the body of a run. */
static int make_request(struct app_service *s, struct check *c)
{
	const char *field;
	json_t *value;

	s->request = json_object();
	json_object_foreach(s->spec, field, value)
	{
		if (is_one_of(field, passed, ARRAY_SIZE(passed)))
			json_object_set(s->request, field, value);
		else if (!is_own(field))
			return check_fail(
				c, field, NULL, "a service has no field \"%.40s\"", field);
	}
	value = json_object_get(s->spec, "image");
	if (!json_is_string(value))
		return check_fail(c, "image", NULL, "image: the name of an image is wanted");
	return json_object_set(s->request, "image_name", value) < 0
		? check_fail(c, "image", NULL, "image: no memory")
		: 0;
}

/* One port of the host, and a CID, can be that of one instance only. */
static int check_unique(const struct app_service *s, const struct run_request *q, struct check *c)
{
	unsigned most = s->replicas > s->scale.max ? s->replicas : s->scale.max;

	for (unsigned n = 0; n < q->port_count; n++) {
		if (most > 1 && q->ports[n].host_port)
			return check_fail(c, "ports", NULL,
				"ports: %u replicas can not all have the host's port %u (use 0)",
				most, q->ports[n].host_port);
	}
	if (most > 1 && q->vsock.cid)
		return check_fail(c, "vsock", "cid",
			"vsock: %u replicas can not all have the CID %u", most, q->vsock.cid);
	return 0;
}

static int check_request(struct app_service *s, struct check *c)
{
	struct run_request q;
	int r = run_request_take(s->request, &q, c);

	if (r < 0) {
		if (strcmp(c->pointer, "/image_name") == 0)
			snprintf(c->pointer, sizeof(c->pointer), "/image");
		return r;
	}
	r = check_unique(s, &q, c);
	run_request_fini(&q);
	return r;
}

/* As in a run, but that what is not said means always: a service is there to stay. */
static int take_restart(struct app_service *s, struct check *c)
{
	json_t *value = json_object_get(s->spec, "restart");
	_cleanup_json_ json_t *request = NULL;
	struct run_request q;

	s->restart.policy = RESTART_ALWAYS;
	if (!value || json_is_null(value))
		return 0;
	request = json_pack("{s:s, s:O}", "image_name", "x", "restart", value);
	if (run_request_take(request, &q, c) < 0)
		return -EINVAL;
	s->restart = q.restart;
	run_request_fini(&q);
	return 0;
}

static int read_service(struct app_service *s, const char *name, json_t *spec, struct check *c)
{
	s->replicas = 1;
	s->stop_timeout_s = STOP_DEFAULT_S;
	s->spec = json_incref(spec);
	snprintf(s->name, sizeof(s->name), "%s", name);
	if (!json_is_object(spec))
		return check_fail(c, NULL, NULL, "an object with image is wanted");
	if (check_uint(c, "replicas", json_object_get(spec, "replicas"), 0, APP_REPLICAS_MAX,
		    &s->replicas) < 0 ||
		check_uint(c, "stop_timeout_s", json_object_get(spec, "stop_timeout_s"), 0,
			STOP_MAX_S, &s->stop_timeout_s) < 0 ||
		scale_take(c, json_object_get(spec, "scale"), &s->scale) < 0 ||
		(!json_is_object(json_object_get(spec, "depends_on")) &&
			check_strings(c, "depends_on", json_object_get(spec, "depends_on"),
				PLAN_SERVICES_MAX) < 0) ||
		make_request(s, c) < 0 || check_request(s, c) < 0)
		return -EINVAL;
	return take_restart(s, c);
}

/* --- dependencies ------------------------------------------------------------------------------------------------ */
struct linking {
	const struct app_spec *spec;
	struct app_service *service;
};

static int note_ref(void *arg, enum ref_kind kind, const char *service, size_t len, struct buf *out,
	struct err *err)
{
	struct linking *l = arg;
	int index;

	(void)out;
	if (kind != REF_ADDRESS)
		return 0;
	index = app_spec_find(l->spec, service, len);
	if (index < 0)
		return err_set(err, EINVAL, "there is no service %.*s in this application",
			len > 80 ? 80 : (int)len, service);
	l->service->refs |= UINT64_C(1) << index;
	return 0;
}

static int link_refs(const struct app_spec *spec, struct app_service *s, struct check *c)
{
	static const char *const fields[] = {"env", "args", "cmdline"};
	struct linking l = {.spec = spec, .service = s};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		json_t *value = json_object_get(s->request, fields[i]);
		_cleanup_json_ json_t *unused = NULL;
		struct err err = {0};
		char where[64];

		if (!value || json_is_null(value) ||
			refs_expand_json(value, note_ref, &l, &unused, where, &err) == 0)
			continue;
		return check_fail(c, fields[i], where[0] ? where : NULL, "%s: %s", fields[i],
			err.code ? err.msg : "no memory");
	}
	s->deps |= s->refs;
	return 0;
}

/* sub: its place in the list. */
static int link_one(const struct app_spec *spec, struct app_service *s, const char *name,
	const char *sub, bool done, struct check *c)
{
	int index = app_spec_find(spec, name, strlen(name));

	if (index < 0)
		return check_fail(c, "depends_on", sub,
			"depends_on: there is no service %.40s in this application", name);
	if (done && spec->services[index].restart.policy == RESTART_ALWAYS)
		return check_fail(c, "depends_on", sub,
			"depends_on: service %.40s is never done, since its restart is always (use "
			"on-failure or no)",
			name);
	s->deps |= UINT64_C(1) << index;
	s->done |= (uint64_t)done << index;
	return 0;
}

static int link_list(
	const struct app_spec *spec, struct app_service *s, const json_t *list, struct check *c)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		char sub[24];

		snprintf(sub, sizeof(sub), "%zu", i);
		if (link_one(spec, s, json_string_value(item), sub, false, c) < 0)
			return -EINVAL;
	}
	return 0;
}

static int link_map(
	const struct app_spec *spec, struct app_service *s, json_t *map, struct check *c)
{
	static const char *const words[] = {"ready", "done", NULL};
	const char *name;
	json_t *value;

	json_object_foreach(map, name, value)
	{
		char where[APP_SERVICE_MAX_BYTES + 16];
		unsigned word = 0;

		snprintf(where, sizeof(where), "depends_on/%.*s", APP_SERVICE_MAX_BYTES, name);
		if (check_word(c, where, value, words, &word) < 0 ||
			link_one(spec, s, name, name, word == 1, c) < 0)
			return -EINVAL;
	}
	return 0;
}

static int link_service(const struct app_spec *spec, struct app_service *s, struct check *c)
{
	json_t *depends_on = json_object_get(s->spec, "depends_on");
	int r = json_is_object(depends_on) ? link_map(spec, s, depends_on, c)
					   : link_list(spec, s, depends_on, c);

	r = r < 0 ? r : link_refs(spec, s, c);
	if (r == 0 && s->scale.max &&
		app_spec_find(spec, s->scale.service, strlen(s->scale.service)) < 0)
		return check_fail(c, "scale", "metric",
			"scale: there is no service %.40s in this application", s->scale.service);
	if (r == 0 && s->refs & s->done)
		return check_fail(c, "depends_on", NULL,
			"depends_on: the address of a service that is done is not known any more");
	return r;
}

static int check_order(const struct app_spec *spec, struct check *c)
{
	struct plan_service services[PLAN_SERVICES_MAX] = {{0}};
	unsigned circle;

	for (unsigned s = 0; s < spec->count; s++)
		services[s].deps = spec->services[s].deps;
	if (plan_has_order(services, spec->count, &circle))
		return 0;
	check_fail(c, "depends_on", NULL, "it depends on itself, directly or through others");
	return in_service(c, spec->services[circle].name);
}

/* --- the whole --------------------------------------------------------------------------------------------------- */
static int read_services(json_t *services, struct app_spec *spec, struct check *c)
{
	const char *name;
	json_t *value;

	json_object_foreach(services, name, value)
	{
		struct app_service *s = &spec->services[spec->count];

		if (!app_name_is_valid(name, APP_SERVICE_MAX_BYTES))
			return check_fail(c, "services", name,
				"\"%.40s\" is no name of a service ([a-z0-9][a-z0-9-]*, at most %d "
				"characters)",
				name, APP_SERVICE_MAX_BYTES);
		spec->count++;
		if (read_service(s, name, value, c) < 0)
			return in_service(c, name);
	}
	for (unsigned n = 0; n < spec->count; n++) {
		if (link_service(spec, &spec->services[n], c) < 0)
			return in_service(c, spec->services[n].name);
	}
	return check_order(spec, c);
}

int app_spec_parse(json_t *root, struct app_spec *out, struct check *c)
{
	json_t *services = json_object_get(root, "services"), *value;
	struct app_spec spec = {0};
	const char *field;

	*c = (struct check){.pointer = ""};
	json_object_foreach(root, field, value)
	{
		if (strcmp(field, "services") != 0)
			return check_fail(
				c, field, NULL, "an application has no field \"%.40s\"", field);
	}
	if (!json_is_object(services) || json_object_size(services) > PLAN_SERVICES_MAX)
		return check_fail(c, "services", NULL,
			"services: an object of at most %d services is wanted", PLAN_SERVICES_MAX);
	spec.services = calloc(json_object_size(services) + 1, sizeof(*spec.services));
	if (!spec.services)
		return check_fail(c, NULL, NULL, "no memory");
	if (read_services(services, &spec, c) < 0) {
		app_spec_fini(&spec);
		return -EINVAL;
	}
	*out = spec;
	return 0;
}

void app_spec_fini(struct app_spec *spec)
{
	for (unsigned s = 0; s < spec->count; s++) {
		json_decref(spec->services[s].spec);
		json_decref(spec->services[s].request);
	}
	free(spec->services);
	*spec = (struct app_spec){0};
}

json_t *app_spec_json(const struct app_spec *spec)
{
	json_t *services = json_object();

	for (unsigned s = 0; s < spec->count; s++) {
		json_t *one = json_copy(spec->services[s].spec);

		json_object_set_new(one, "replicas", json_integer(spec->services[s].replicas));
		json_object_set_new(services, spec->services[s].name, one);
	}
	return json_pack("{s:o}", "services", services);
}
