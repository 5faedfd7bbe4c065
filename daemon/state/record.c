/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/state/record.h"

#include "daemon/core.h"
#include "daemon/image/store.h"
#include "daemon/monitor/args.h"
#include "daemon/state/words.h"
#include "daemon/volume.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>

#define RECORD_DEPTH 12
#define NAMES_MAX    16 /* of a list of names, as a bound */

static json_int_t ns_of(const struct timespec *t)
{
	return (json_int_t)t->tv_sec * NS_PER_S + t->tv_nsec;
}

static json_t *ports_json(const struct instance *i)
{
	json_t *ports = json_array();

	for (unsigned n = 0; n < i->port_count; n++)
		json_array_append_new(ports,
			json_pack("{s:I, s:i, s:i, s:b}", "ip", (json_int_t)i->ports[n].host_ip,
				"host", (int)i->ports[n].host_port, "guest",
				(int)i->ports[n].guest_port, "udp", (int)i->ports[n].udp));
	return ports;
}

json_t *record_image(const struct image *image)
{
	return json_pack("{s:s, s:s?, s:O}", "name", image->name, "path", image_path(image),
		"config", image->config);
}

static json_t *restart_json(const struct restart *r)
{
	return json_pack("{s:s, s:i, s:i, s:b, s:I}", "policy", restart_policy_names[r->policy],
		"max_retries", (int)r->max_retries, "count", (int)r->count, "pending",
		(int)r->pending, "wait_ns", (json_int_t)r->wait_ns);
}

static json_t *shell_json(const struct instance *i)
{
	char mac[MAC_TEXT_BYTES];

	mac_format(i->spec.mac, mac);
	return json_pack("{s:s, s:i, s:i, s:I, s:I, s:s*, s:s*}", "monitor", i->spec.ops->name,
		"memory_mib", (int)i->spec.memory_mib, "vcpus", (int)i->spec.vcpus, "ip",
		(json_int_t)i->ip, "static_ip", (json_int_t)i->static_ip, "kernel",
		i->spec.kernel[0] ? i->spec.kernel : NULL, "mac",
		mac_is_none(i->spec.mac) ? NULL : mac);
}

/* NULL: of no application and no function. */
static json_t *mark_json(const struct app_mark *m)
{
	if (m->fn[0])
		return json_pack("{s:s, s:I}", "fn", m->fn, "hash", (json_int_t)m->hash);
	return m->app[0] ? json_pack("{s:s, s:s, s:i, s:I, s:b}", "app", m->app, "service",
				   m->service, "serial", (int)m->serial, "hash",
				   (json_int_t)m->hash, "dismissed", (int)m->dismissed)
			 : NULL;
}

/* NULL: it has none. */
static json_t *vsock_record(const struct instance *i)
{
	return i->vsock.wanted ? json_pack("{s:I}", "cid", (json_int_t)i->vsock.cid) : NULL;
}

/* NULL: none. */
static json_t *health_json(const struct health_spec *h)
{
	return h->kind == HEALTH_NONE
		? NULL
		: json_pack("{s:o, s:b}", "check", health_spec_json(h), "ends", (int)h->ends);
}

static json_t *steps_json(const struct instance *i)
{
	json_t *steps = json_array();

	for (unsigned n = 0; n < INSTANCE_STEPS; n++)
		json_array_append_new(steps, json_integer(i->step_ns[n]));
	return steps;
}

/* NULL: it boots. */
static json_t *from_json(const struct instance *i)
{
	return i->from[0] ? json_pack("{s:s, s:s}", "name", i->from, "id", i->from_id) : NULL;
}

json_t *record_of(const struct instance *i)
{
	return json_pack(
		"{s:s, s:s*, s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:o, s:s, s:o, s:o, s:o, s:o, "
		"s:O, s:O*, s:o, "
		"s:o, s:i, s:s, s:I, s:o*, s:o*, s:o*, s:o*, s:b, s:O*, s:I, s:I, s:I, "
		"s:I, s:I, s:o, s:I, s:o*, s:O*, s:I}",
		"id", i->id, "network", i->network[0] ? i->network : NULL, "name", i->name, "state",
		instance_state_names[i->state], "ahead", (int)i->ahead, "ready", (int)i->ready,
		"from_pool", (int)i->from_pool, "auto_remove", (int)i->auto_remove, "wanted_down",
		(int)i->wanted_down, "exit_code",
		i->has_exit_code ? json_integer(i->exit_code) : json_null(), "reason", i->reason,
		"image", record_image(i->image), "shell", shell_json(i), "argv",
		record_words(i->argv), "env", record_words(i->env), "labels", i->labels, "volumes",
		i->volumes, "ports", ports_json(i), "restart", restart_json(&i->restart), "ttl_s",
		(int)i->ttl_s, "key", i->key, "key_hash", (json_int_t)i->key_hash, "mark",
		mark_json(&i->mark), "vsock", vsock_record(i), "health", health_json(&i->health),
		"limits", limits_json(&i->limits), "trace", (int)i->trace, "missing_calls",
		i->missing_calls, "request_ns", (json_int_t)i->request_ns, "start_ns",
		(json_int_t)i->start_ns, "ready_ns", (json_int_t)i->ready_ns, "created",
		ns_of(&i->created), "started", ns_of(&i->started), "steps", steps_json(i), "ended",
		ns_of(&i->ended), "from", from_json(i), "monitor_steps", i->steps,
		"monitor_steps_ns", (json_int_t)i->steps_ns);
}

/* --- back ------------------------------------------------------------------------------------------------------ */
static int load_text(const json_t *root, const char *key, char *out, size_t size, struct err *err)
{
	const char *text;
	int r = jsonx_str(root, key, size - 1, &text, err);

	if (r == 0)
		snprintf(out, size, "%s", text);
	return r;
}

static int load_state(struct instance *i, const json_t *root, struct err *err)
{
	const char *text;
	int r = jsonx_str(root, "state", NAMES_MAX, &text, err);

	if (r < 0)
		return r;
	for (unsigned n = 0; instance_state_names[n]; n++) {
		if (strcmp(instance_state_names[n], text) != 0)
			continue;
		i->state = (enum instance_state)n;
		return 0;
	}
	return err_set(err, EINVAL, "state: there is none of the name %s", text);
}

static int load_time(const json_t *root, const char *key, struct timespec *out, struct err *err)
{
	int64_t ns;
	int r = jsonx_int(root, key, 0, INT64_MAX, &ns, err);

	if (r == 0)
		*out = (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = (long)(ns % NS_PER_S)};
	return r;
}

/* Records of earlier versions have none. */
static int load_steps(struct instance *i, const json_t *root, struct err *err)
{
	const json_t *steps = json_object_get(root, "steps"), *item;
	size_t n;

	if (!steps)
		return 0;
	if (!json_is_array(steps) || json_array_size(steps) > INSTANCE_STEPS)
		return err_set(
			err, EINVAL, "steps: a list of at most %d times is wanted", INSTANCE_STEPS);
	json_array_foreach(steps, n, item)
	{
		i->step_ns[n] = json_integer_value(item);
		if (!json_is_integer(item) || i->step_ns[n] < 0)
			return err_set(err, EINVAL, "steps: a time is wanted");
	}
	return 0;
}

static int load_times(struct instance *i, const json_t *root, struct err *err)
{
	int r = jsonx_int(root, "request_ns", 0, INT64_MAX, &i->request_ns, err);

	r = r < 0 ? r : jsonx_int(root, "start_ns", 0, INT64_MAX, &i->start_ns, err);
	r = r < 0 ? r : jsonx_int(root, "ready_ns", 0, INT64_MAX, &i->ready_ns, err);
	r = r < 0 ? r : load_steps(i, root, err);
	r = r < 0 ? r : load_time(root, "created", &i->created, err);
	r = r < 0 ? r : load_time(root, "started", &i->started, err);
	return r < 0 ? r : load_time(root, "ended", &i->ended, err);
}

static int load_flags(struct instance *i, const json_t *root, struct err *err)
{
	const json_t *code = json_object_get(root, "exit_code");
	int r = jsonx_bool(root, "ready", &i->ready, err);

	r = r < 0 ? r : jsonx_bool(root, "from_pool", &i->from_pool, err);
	r = r < 0 ? r : jsonx_bool(root, "auto_remove", &i->auto_remove, err);
	r = r < 0 ? r : jsonx_bool(root, "trace", &i->trace, err);
	r = r < 0 ? r : jsonx_bool(root, "wanted_down", &i->wanted_down, err);
	i->ahead = json_is_true(
		json_object_get(root, "ahead")); /* those of earlier versions have none */
	i->has_exit_code = json_is_integer(code);
	i->exit_code = (int)json_integer_value(code);
	return r;
}

static int load_shell(struct instance *i, const json_t *root, struct err *err)
{
	const json_t *shell = json_object_get(root, "shell");
	int64_t memory_mib = 0, vcpus = 0, ip = 0, static_ip = 0;
	const char *monitor = NULL, *kernel = NULL, *mac = NULL;
	int r = jsonx_str(shell, "monitor", NAMES_MAX, &monitor, err);

	r = r < 0 ? r : jsonx_int(shell, "memory_mib", 1, UINT32_MAX, &memory_mib, err);
	r = r < 0 ? r : jsonx_int(shell, "vcpus", 1, UINT16_MAX, &vcpus, err);
	r = r < 0 ? r : jsonx_int(shell, "ip", 0, UINT32_MAX, &ip, err);
	r = r < 0 ? r : jsonx_opt_str(shell, "kernel", NAME_MAX_BYTES, &kernel, err);
	r = r < 0 ? r : jsonx_opt_str(shell, "mac", MAC_TEXT_BYTES - 1, &mac, err);
	r = r < 0 ? r : jsonx_int(shell, "static_ip", 0, UINT32_MAX, &static_ip, err);
	if (r < 0)
		return r;
	i->spec = (struct shell_spec){.ops = monitor_find(monitor),
		.memory_mib = (unsigned)memory_mib,
		.vcpus = (unsigned)vcpus,
		.ip = (uint32_t)ip};
	snprintf(i->spec.kernel, sizeof(i->spec.kernel), "%s", kernel ? kernel : "");
	i->ip = (uint32_t)ip;
	i->static_ip = (uint32_t)static_ip;
	network_lease_mac(i->ip, i->mac);
	if (mac && mac_parse(mac, i->spec.mac) < 0)
		return err_set(err, EINVAL, "\"%s\" is no MAC", mac);
	if (mac)
		memcpy(i->mac, i->spec.mac, sizeof(i->mac));
	return i->spec.ops ? 0 : err_set(err, EINVAL, "there is no monitor %s", monitor);
}

struct image *record_load_image(struct core *core, const json_t *record, struct err *err)
{
	const char *name = NULL, *path = NULL;
	struct image *image;
	int r = jsonx_str(record, "name", IMAGE_NAME_MAX_BYTES, &name, err);

	r = r < 0 ? r : jsonx_opt_str(record, "path", 4096, &path, err);
	if (r < 0)
		return NULL;
	image = image_of_record(core->images, name, path, json_object_get(record, "config"));
	if (!image)
		err_set(err, EINVAL, "image %s: no configuration", name);
	return image;
}

static int load_command(struct instance *i, const json_t *root, struct err *err)
{
	int r = record_load_words(root, "argv", ARGS_WORDS_MAX, &i->argv, err);

	r = r < 0 ? r : record_load_words(root, "env", RECORD_ENV_WORDS_MAX, &i->env, err);
	if (r < 0)
		return r;
	i->cmdline = args_join(i->argv);
	return i->cmdline ? 0 : err_sys(err, ENOMEM, "VM");
}

static int load_restart(struct instance *i, const json_t *root, struct err *err)
{
	const json_t *restart = json_object_get(root, "restart");
	int64_t max_retries = 0, count = 0, ttl_s = 0;
	const char *policy = NULL;
	int r = jsonx_str(restart, "policy", NAMES_MAX, &policy, err);

	r = r < 0 ? r : jsonx_int(restart, "max_retries", 0, INT32_MAX, &max_retries, err);
	r = r < 0 ? r : jsonx_int(restart, "count", 0, INT32_MAX, &count, err);
	r = r < 0 ? r : jsonx_bool(restart, "pending", &i->restart.pending, err);
	r = r < 0 ? r : jsonx_int(restart, "wait_ns", 0, INT64_MAX, &i->restart.wait_ns, err);
	r = r < 0 ? r : jsonx_int(root, "ttl_s", 0, INT32_MAX, &ttl_s, err);
	if (r < 0)
		return r;
	i->restart.max_retries = (unsigned)max_retries;
	i->restart.count = (unsigned)count;
	i->ttl_s = (unsigned)ttl_s;
	for (unsigned n = 0; restart_policy_names[n]; n++) {
		if (strcmp(restart_policy_names[n], policy) != 0)
			continue;
		i->restart.policy = (enum restart_policy)n;
		return 0;
	}
	return err_set(err, EINVAL, "restart: there is no policy %s", policy);
}

static int load_ports(struct instance *i, const json_t *root, struct err *err)
{
	const json_t *ports = json_object_get(root, "ports"), *port;
	size_t n;
	int r = 0;

	if (json_array_size(ports) > INSTANCE_PORTS_MAX)
		return err_set(err, EINVAL, "ports: too many");
	json_array_foreach(ports, n, port)
	{
		int64_t ip = 0, host = 0, guest = 0;

		r = r < 0 ? r : jsonx_int(port, "ip", 0, UINT32_MAX, &ip, err);
		r = r < 0 ? r
			  : jsonx_int(port, "host", 0, UINT16_MAX, &host,
				    err); /* 0: not published yet */
		r = r < 0 ? r : jsonx_int(port, "guest", 1, UINT16_MAX, &guest, err);
		i->ports[n] = (struct port_map){.host_ip = (uint32_t)ip,
			.host_port = (uint16_t)host,
			.guest_port = (uint16_t)guest,
			.udp = json_is_true(json_object_get(port, "udp"))};
	}
	i->port_count = r < 0 ? 0 : (unsigned)json_array_size(ports);
	return r;
}

static int load_mark(struct instance *i, const json_t *root, struct err *err)
{
	const json_t *mark = json_object_get(root, "mark");
	int64_t serial = 0, hash = 0;
	int r = 0;

	if (!mark)
		return 0;
	if (json_object_get(mark, "fn")) {
		r = load_text(mark, "fn", i->mark.fn, sizeof(i->mark.fn), err);
		r = r < 0 ? r : jsonx_int(mark, "hash", INT64_MIN, INT64_MAX, &hash, err);
		i->mark.hash = (uint64_t)hash;
		return r;
	}
	r = load_text(mark, "app", i->mark.app, sizeof(i->mark.app), err);
	r = r < 0 ? r : load_text(mark, "service", i->mark.service, sizeof(i->mark.service), err);
	r = r < 0 ? r : jsonx_int(mark, "serial", 1, INT32_MAX, &serial, err);
	r = r < 0 ? r : jsonx_int(mark, "hash", INT64_MIN, INT64_MAX, &hash, err);
	r = r < 0 ? r : jsonx_bool(mark, "dismissed", &i->mark.dismissed, err);
	i->mark.serial = (unsigned)serial;
	i->mark.hash = (uint64_t)hash;
	return r;
}

static int load_health(struct instance *i, const json_t *root, struct err *err)
{
	const json_t *health = json_object_get(root, "health");
	struct check check = {.pointer = ""};

	if (!health)
		return 0;
	if (health_take(&check, "check", json_object_get(health, "check"), &i->health) < 0)
		return err_set(err, EINVAL, "%s", check.err.msg);
	return jsonx_bool(health, "ends", &i->health.ends, err);
}

static int load_limits(struct instance *i, const json_t *root, struct err *err)
{
	const json_t *limits = json_object_get(root, "limits");
	struct check check = {.pointer = ""};

	if (!limits || limits_take(&check, "limits", limits, &i->limits) == 0)
		return 0;
	return err_set(err, EINVAL, "%s", check.err.msg);
}

static int load_volumes(struct instance *i, const json_t *root, struct err *err)
{
	struct check check = {.pointer = ""};

	if (volumes_take(&check, "volumes", json_object_get(root, "volumes"), &i->volumes) == 0)
		return 0;
	return err_set(err, EINVAL, "%s", check.err.msg);
}

static int load_network(struct instance *i, const json_t *root, struct err *err)
{
	const char *name = NULL;
	int r = jsonx_opt_str(root, "network", NAME_MAX_BYTES, &name, err);

	if (r < 0 || !name)
		return r;
	if (!name_is_valid(name))
		return err_set(err, EINVAL, "network: no name");
	snprintf(i->network, sizeof(i->network), "%s", name);
	return 0;
}

static int load_from(struct instance *i, const json_t *root, struct err *err)
{
	const json_t *from = json_object_get(root, "from");
	int r = from ? load_text(from, "name", i->from, sizeof(i->from), err) : 0;

	return r < 0 || !from ? r : load_text(from, "id", i->from_id, sizeof(i->from_id), err);
}

static int load_vsock(struct instance *i, const json_t *root, struct err *err)
{
	const json_t *vsock = json_object_get(root, "vsock");
	int64_t cid = 0;
	int r = vsock ? jsonx_int(vsock, "cid", VSOCK_CID_MIN, VSOCK_CID_MAX, &cid, err) : 0;

	i->vsock = (struct vsock_spec){.wanted = vsock != NULL, .cid = (uint32_t)cid};
	return r;
}

int record_load(struct instance *i, const char *text, size_t len, struct err *err)
{
	_cleanup_json_ json_t *root = NULL;
	int64_t key_hash = 0;
	json_t *labels;
	int r = jsonx_parse_object(text, len, RECORD_DEPTH, &root, err);

	r = r < 0 ? r : load_text(root, "id", i->id, sizeof(i->id), err);
	r = r < 0 ? r : load_text(root, "name", i->name, sizeof(i->name), err);
	r = r < 0 ? r : load_text(root, "reason", i->reason, sizeof(i->reason), err);
	r = r < 0 ? r : load_text(root, "key", i->key, sizeof(i->key), err);
	r = r < 0 ? r : jsonx_int(root, "key_hash", INT64_MIN, INT64_MAX, &key_hash, err);
	i->key_hash = (uint64_t)key_hash;
	r = r < 0 ? r : load_state(i, root, err);
	r = r < 0 ? r : load_flags(i, root, err);
	r = r < 0 ? r : load_times(i, root, err);
	r = r < 0 ? r : load_shell(i, root, err);
	if (r == 0)
		i->image = record_load_image(i->core, json_object_get(root, "image"), err);
	r = r < 0 ? r : i->image ? 0 : -EINVAL;
	r = r < 0 ? r : load_command(i, root, err);
	r = r < 0 ? r : load_restart(i, root, err);
	r = r < 0 ? r : load_ports(i, root, err);
	r = r < 0 ? r : load_network(i, root, err);
	r = r < 0 ? r : load_mark(i, root, err);
	r = r < 0 ? r : load_health(i, root, err);
	r = r < 0 ? r : load_limits(i, root, err);
	r = r < 0 ? r : load_from(i, root, err);
	labels = r < 0 ? NULL : json_object_get(root, "labels");
	if (r == 0 && !json_is_object(labels))
		r = err_set(err, EINVAL, "labels: an object is wanted");
	i->labels = r < 0 ? NULL : json_incref(labels);
	if (r == 0 && json_is_array(json_object_get(root, "monitor_steps"))) {
		i->steps = json_incref(json_object_get(root, "monitor_steps"));
		i->steps_ns = json_integer_value(json_object_get(root, "monitor_steps_ns"));
	}
	if (r == 0 && json_is_array(json_object_get(root, "missing_calls")))
		i->missing_calls = json_incref(json_object_get(root, "missing_calls"));
	r = r < 0 ? r : load_vsock(i, root, err);
	return r < 0 ? r : load_volumes(i, root, err);
}
