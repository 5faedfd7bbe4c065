/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/vm_json.h"

#include "daemon/core.h"
#include "daemon/image/store.h"
#include "daemon/instance/instance.h"
#include "daemon/monitor/trace.h"
#include "daemon/network/network.h"
#include "lib/util.h"

json_t *time_json(const struct timespec *t)
{
	char text[40];
	struct tm tm;
	size_t n;

	if (!t->tv_sec)
		return json_null();
	gmtime_r(&t->tv_sec, &tm);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%03ldZ", t->tv_nsec / 1000000);
	return json_string(text);
}

static json_t *ports_json(const struct instance *i)
{
	json_t *ports = json_array();

	for (unsigned n = 0; n < i->port_count; n++) {
		const struct port_map *map = &i->ports[n];
		bool lost = instance_port_is_lost(i, map);
		char address[IPV4_TEXT_BYTES];

		ipv4_format(map->host_ip, address);
		json_array_append_new(ports,
			json_pack("{s:i, s:i, s:s, s:s, s:o*}", "host", (int)map->host_port,
				"guest", (int)map->guest_port, "address", address, "protocol",
				map->udp ? "udp" : "tcp", "lost", lost ? json_true() : NULL));
	}
	return ports;
}

/* Milliseconds from the request, to the microsecond; null for a time that has not come. */
static json_t *since_request(const struct instance *i, int64_t ns)
{
	int64_t us = (ns - i->request_ns) / 1000;

	return ns ? json_real((double)us / 1000) : json_null();
}

static json_t *health_json(const struct instance *i)
{
	const char *why = i->checks ? health_why(i->checks) : "";

	if (i->health.kind == HEALTH_NONE)
		return json_null();
	return json_pack("{s:s, s:s?, s:o}", "state", health_state_names[i->health_state],
		"failure", *why ? why : NULL, "check", health_spec_json(&i->health));
}

/* A program in host mode has none. */
static json_t *ip6_json(const struct instance *i)
{
	const struct subnet6 *subnet = network_subnet6(i->core->network);
	char text[IPV6_TEXT_BYTES];
	uint8_t ip[IPV6_BYTES];

	if (!subnet->on || i->ip == 0 || i->spec.ops == &monitor_process)
		return json_null();
	subnet6_of_mac(subnet, i->mac, ip);
	ipv6_format(ip, text);
	return json_string(text);
}

static json_t *limits_or_null(const struct instance *i)
{
	json_t *limits = limits_json(&i->limits);

	return limits ? limits : json_null();
}

/* NULL: its monitor boots none. */
static const char *kernel_name(const struct instance *i)
{
	if (!i->spec.ops->has_kernel)
		return NULL;
	return i->spec.kernel[0] ? i->spec.kernel : KERNEL_DEFAULT;
}

static double us_since_request(const struct instance *i, int64_t ns)
{
	return (double)(ns - i->request_ns) / 1000;
}

static void add_own_steps(const struct instance *i, json_t *steps)
{
	for (unsigned n = 0; n < INSTANCE_STEPS && i->step_ns[n] >= i->request_ns; n++)
		json_array_append_new(steps,
			json_pack("{s:s, s:s, s:f}", "step", instance_step_names[n], "by",
				"manager", "us", us_since_request(i, i->step_ns[n])));
}

/* All parts read the same clock. */
static void add_monitor_steps(const struct instance *i, json_t *steps)
{
	json_t *step;
	size_t n;

	if (i->steps_ns < i->request_ns || json_array_size(i->steps) > TRACE_STEPS_MAX)
		return; /* of a start before this one */
	json_array_foreach(i->steps, n, step)
	{
		double us = json_number_value(json_object_get(step, "us"));
		json_t *copy = json_copy(step);

		json_object_set_new(copy, "us", json_real(us_since_request(i, i->steps_ns) + us));
		json_array_append_new(steps, copy);
	}
}

static double us_of(const json_t *steps, size_t n)
{
	return json_number_value(json_object_get(json_array_get(steps, n), "us"));
}

/* Each part's own are nearly in order already. */
static json_t *sorted(json_t *steps)
{
	json_t *out = json_array(), *step;
	size_t n;

	json_array_foreach(steps, n, step)
	{
		size_t at = json_array_size(out);

		while (at > 0 && us_of(out, at - 1) > us_of(steps, n))
			at--;
		json_array_insert(out, at, step);
	}
	json_decref(steps);
	return out;
}

static json_t *timing_json(const struct instance *i)
{
	json_t *steps = json_array();

	add_own_steps(i, steps);
	add_monitor_steps(i, steps);
	return sorted(steps);
}

static json_t *missing_calls(const struct instance *i)
{
	json_t *list = i->shell ? i->shell->missing_calls : i->missing_calls;

	return list ? json_incref(list) : json_array();
}

json_t *vm_json(const struct instance *i)
{
	char ip[IPV4_TEXT_BYTES], mac[MAC_TEXT_BYTES];

	ipv4_format(i->ip, ip);
	mac_format(i->mac, mac);
	return json_pack(
		"{s:s, s:s, s:o, s:s, s:s, s:s, s:b, s:s?, s:o, s:s, s:s, s:s, s:i, s:i, s:s, s:o, "
		"s:o, s:O, s:o, s:b, s:b, s:b, s:o, "
		"s:o, s:o, s:o, s:o, s:o, s:{s:s, s:i}, s:i, s:b, s:o, s:b, s:o, s:o, s:o, s:o, "
		"s:s?, s:s?}",
		"id", i->id, "ip_address", ip, "ipv6_address", ip6_json(i), "network",
		i->network[0] ? i->network : "default", "name", i->name, "state",
		instance_state_names[i->state], "ready", (int)i->ready, "reason",
		i->reason[0] ? i->reason : NULL, "exit_code",
		i->has_exit_code ? json_integer(i->exit_code) : json_null(), "image",
		i->image->name, "cmdline", i->cmdline, "monitor", i->spec.ops->name, "memory_mib",
		(int)i->spec.memory_mib, "vcpus", (int)i->spec.vcpus, "mac", mac, "pid",
		i->shell && i->shell->pid ? json_integer(i->shell->pid) : json_null(), "ports",
		ports_json(i), "labels", i->labels, "volumes",
		i->volumes ? json_incref(i->volumes) : json_array(), "auto_remove",
		(int)i->auto_remove, "from_pool", (int)i->from_pool, "cloned", (int)i->cloned,
		"timing", timing_json(i), "start_ms", since_request(i, i->start_ns), "ready_ms",
		since_request(i, i->ready_ns), "created_at", time_json(&i->created), "started_at",
		time_json(&i->started), "ended_at", time_json(&i->ended), "restart", "policy",
		restart_policy_names[i->restart.policy], "max_retries", (int)i->restart.max_retries,
		"restarts", (int)i->restart.count, "restart_pending", (int)i->restart.pending,
		"ttl_s", i->ttl_s ? json_integer(i->ttl_s) : json_null(), "trace", (int)i->trace,
		"missing_calls", missing_calls(i), "vsock", vsock_json(i), "health", health_json(i),
		"limits", limits_or_null(i), "kernel", kernel_name(i), "from",
		i->from[0] ? i->from : NULL);
}
