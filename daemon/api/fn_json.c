/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/fn_json.h"

#include "daemon/api/vm_json.h"
#include "daemon/fn/fn.h"
#include "daemon/instance/instance.h"
#include "lib/util.h"

static json_t *instance_json(const struct instance *i, unsigned in_flight)
{
	char ip[IPV4_TEXT_BYTES];

	ipv4_format(i->ip, ip);
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:i}", "id", i->id, "name", i->name,
		"ip_address", ip, "state", instance_state_names[i->state], "ready", (int)i->ready,
		"in_flight", (int)in_flight);
}

static json_t *counters_json(const struct fn_counters *c)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "requests",
		(json_int_t)c->requests, "cold", (json_int_t)c->cold, "rejected",
		(json_int_t)c->rejected, "failed", (json_int_t)c->failed, "gone",
		(json_int_t)c->gone, "retries", (json_int_t)c->retries, "starts",
		(json_int_t)c->starts, "start_failures", (json_int_t)c->start_failures,
		"cold_ms_mean",
		c->cold ? (double)c->cold_ns / (double)c->cold / (double)NS_PER_MS : 0.0);
}

json_t *fn_json(const struct fn *fn)
{
	json_t *instances = json_array();
	const struct instance *i = NULL;
	struct timespec created, updated;
	unsigned in_flight;
	char url[64];

	fn_times(fn, &created, &updated);
	while ((i = fn_instance_next(fn, i, &in_flight)))
		json_array_append_new(instances, instance_json(i, in_flight));
	snprintf(url, sizeof(url), "/fn/%s/invoke/", fn_name(fn));
	return json_pack("{s:s, s:s, s:s?, s:s, s:O, s:o, s:o, s:i, s:i, s:o, s:o, s:o}", "name",
		fn_name(fn), "state", fn_state_names[fn_state(fn)], "reason", fn_reason(fn), "url",
		url, "image", json_object_get(fn_spec(fn)->spec, "image"), "created_at",
		time_json(&created), "updated_at", time_json(&updated), "queued",
		(int)fn_queued(fn), "in_flight", (int)fn_in_flight(fn), "counters",
		counters_json(fn_counters(fn)), "instances", instances, "spec",
		fn_spec_json(fn_spec(fn)));
}
