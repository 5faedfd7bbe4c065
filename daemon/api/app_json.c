/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/app_json.h"

#include "daemon/api/vm_json.h"
#include "daemon/app/app.h"
#include "daemon/instance/instance.h"

static json_t *instance_json(const struct app *app, const struct instance *i)
{
	char ip[IPV4_TEXT_BYTES];

	ipv4_format(i->ip, ip);
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:o, s:s?}", "id", i->id, "name", i->name,
		"ip_address", ip, "state", instance_state_names[i->state], "ready", (int)i->ready,
		"outdated", (int)app_is_outdated(app, i), "exit_code",
		i->has_exit_code ? json_integer(i->exit_code) : json_null(), "reason",
		i->reason[0] ? i->reason : NULL);
}

static json_t *names_json(const struct app_spec *spec, uint64_t services)
{
	json_t *names = json_array();

	for (unsigned s = 0; s < spec->count; s++) {
		if (services >> s & 1)
			json_array_append_new(names, json_string(spec->services[s].name));
	}
	return names;
}

static json_t *service_json(const struct app *app, unsigned s)
{
	const struct app_spec *spec = app_spec(app);
	const struct app_service *service = &spec->services[s];
	const struct instance *i = NULL;
	json_t *instances = json_array();
	struct service_status status;

	app_service_status(app, s, &status);
	while ((i = app_instance_next(app, service->name, i)))
		json_array_append_new(instances, instance_json(app, i));
	return json_pack("{s:s, s:s, s:s?, s:O, s:i, s:i, s:i, s:i, s:o, s:o, s:o}", "name",
		service->name, "state", service_state_names[status.state], "reason", status.reason,
		"image", json_object_get(service->spec, "image"), "replicas",
		(int)service->replicas, "running", (int)status.figures.alive, "ready",
		(int)status.figures.ready, "done", (int)status.figures.done, "depends_on",
		names_json(spec, service->deps), "waits_for", names_json(spec, status.waits_for),
		"instances", instances);
}

json_t *app_json(const struct app *app)
{
	const struct app_spec *spec = app_spec(app);
	json_t *services = json_array();
	struct timespec created, updated;

	app_times(app, &created, &updated);
	for (unsigned s = 0; s < spec->count; s++)
		json_array_append_new(services, service_json(app, s));
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "name", app_name(app), "state",
		app_state_names[app_state(app)], "created_at", time_json(&created), "updated_at",
		time_json(&updated), "services", services, "spec", app_spec_json(spec));
}
