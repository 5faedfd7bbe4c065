/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/run_request.h"

#include "daemon/config.h"
#include "daemon/kernel.h"
#include "daemon/monitor/args.h"
#include "daemon/network/subnet.h"
#include "daemon/volume.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define BODY_DEPTH_MAX    8
#define CMDLINE_MAX_BYTES 8192
#define WAIT_DEFAULT_MS   30000
#define WAIT_MAX_MS       600000
#define ENV_MAX           256
#define LABELS_MAX        64
#define RETRIES_MAX       1000000
#define NETWORK_OF_ALL    "default"
#define TTL_MAX_S         31536000

typedef int field_fn(struct run_request *q, struct check *c, const char *field, json_t *value);

static int take_image_name(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	int r = check_string(c, field, value, IMAGE_NAME_MAX_BYTES, &q->image_name);

	if (r == 0 && q->image_name && !image_name_is_valid(q->image_name) &&
		!image_is_digest(q->image_name))
		return check_fail(
			c, field, NULL, "image_name: \"%.80s\" is no image name", q->image_name);
	return r;
}

static int take_name(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	int r = check_string(c, field, value, NAME_MAX_BYTES, &q->name);

	if (r == 0 && q->name && !name_is_valid(q->name))
		return check_fail(c, field, NULL,
			"name: \"%.80s\" does not match [a-z0-9][a-z0-9._-]{0,62}", q->name);
	return r;
}

static int take_from(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	const char *name = NULL;
	int r = check_string(c, field, value, NAME_MAX_BYTES, &name);

	if (r == 0 && name && !name_is_valid(name))
		return check_fail(c, field, NULL, "from: \"%.63s\" is no name of a snapshot", name);
	q->from = name;
	return r;
}

static int take_network(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	const char *name = NULL;
	int r = check_string(c, field, value, NAME_MAX_BYTES, &name);

	if (r < 0 || !name || strcmp(name, NETWORK_OF_ALL) == 0)
		return r;
	if (!name_is_valid(name))
		return check_fail(c, field, NULL,
			"network: \"%.80s\" does not match [a-z0-9][a-z0-9._-]{0,62}", name);
	q->network = name;
	return 0;
}

static int take_kernel(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	const char *name = NULL;
	int r = check_string(c, field, value, NAME_MAX_BYTES, &name);

	if (r < 0 || !name || strcmp(name, KERNEL_DEFAULT) == 0)
		return r;
	if (!name_is_valid(name))
		return check_fail(c, field, NULL,
			"kernel: \"%.80s\" does not match [a-z0-9][a-z0-9._-]{0,62}", name);
	q->kernel = name;
	return 0;
}

static int no_two_commands(const struct run_request *q, struct check *c, const char *field)
{
	return q->argv ? check_fail(c, field, NULL, "cmdline and args exclude each other") : 0;
}

static int take_cmdline(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	const char *line = NULL;
	struct err err;
	int r = check_string(c, field, value, CMDLINE_MAX_BYTES, &line);

	if (r < 0 || !line || !*line)
		return r;
	r = no_two_commands(q, c, field);
	if (r == 0 && args_split(line, &q->argv, &err) < 0)
		return check_fail(c, field, NULL, "cmdline: %s", err.msg);
	return r;
}

/* The words go the same way as a cmdline's, so that they are one allocation. */
static int take_args(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	_cleanup_buf_ struct buf line;
	struct err err;
	json_t *item;
	size_t i;
	int r = check_strings(c, field, value, ARGS_WORDS_MAX);

	buf_init(&line, 0);
	if (r < 0 || json_array_size(value) == 0)
		return r;
	r = no_two_commands(q, c, field);
	if (r < 0)
		return r;
	json_array_foreach(value, i, item)
	{
		if (args_add(&line, json_string_value(item)) < 0)
			return check_fail(c, field, NULL, "args: no memory");
	}
	return args_split(line.data, &q->argv, &err) < 0
		? check_fail(c, field, NULL, "args: %s", err.msg)
		: 0;
}

static int take_read_only(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	bool read_only = true;
	int r = check_bool(c, field, value, &read_only);

	(void)q;
	if (r == 0 && !read_only)
		return check_fail(c, field, NULL,
			"read_only: images are never written to; what the program writes is kept "
			"in memory");
	return r;
}

static int take_memory(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	return check_uint(
		c, field, value, CONFIG_MEMORY_MIB_MIN, CONFIG_MEMORY_MIB_MAX, &q->memory_mib);
}

static int take_vcpus(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	return check_uint(c, field, value, 1, CONFIG_VCPUS_MAX, &q->vcpus);
}

static int take_monitor(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	int r = check_string(c, field, value, 32, &q->monitor);

	if (r == 0 && q->monitor && !monitor_find(q->monitor))
		return check_fail(c, field, NULL,
			"monitor: one of uvmm, firecracker, qemu, process is wanted");
	return r;
}

static int take_ip(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	const char *text = NULL;
	int r = check_string(c, field, value, IPV4_TEXT_BYTES, &text);

	if (r == 0 && text && *text && ipv4_parse(text, &q->ip) < 0)
		return check_fail(c, field, NULL, "ip_address: \"%s\" is no IPv4 address", text);
	return r;
}

static int take_mac(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	const char *text = NULL;
	int r = check_string(c, field, value, MAC_TEXT_BYTES, &text);

	if (r < 0 || !text || !*text)
		return r;
	if (mac_parse(text, q->mac) < 0)
		return check_fail(
			c, field, NULL, "mac: \"%s\" is no MAC, such as 02:00:5e:10:00:01", text);
	if (mac_is_none(q->mac) || q->mac[0] & 1)
		return check_fail(c, field, NULL, "mac: %s is not that of one interface", text);
	return 0;
}

static int take_env(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	int r = check_map(c, field, value, ENV_MAX, true);

	q->env = json_is_object(value) ? value : NULL;
	return r;
}

static int take_labels(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	int r = check_map(c, field, value, LABELS_MAX, false);

	q->labels = json_is_object(value) ? value : NULL;
	return r;
}

/* "ports/0" and "host" are "ports/0/host". */
static const char *below(char *out, size_t size, const char *field, const char *key)
{
	snprintf(out, size, "%s/%s", field, key);
	return out;
}

static int take_port(struct check *c, json_t *item, const char *field, struct port_map *map)
{
	static const char *const protocols[] = {"tcp", "udp", NULL};
	const char *address = NULL;
	unsigned host = 0, guest = 0, protocol = 0;
	char at[64];

	if (!json_is_object(item))
		return check_fail(c, field, NULL, "ports: an object with host and guest is wanted");
	if (check_uint(c, below(at, sizeof(at), field, "host"), json_object_get(item, "host"), 0,
		    65535, &host) < 0 ||
		check_uint(c, below(at, sizeof(at), field, "guest"), json_object_get(item, "guest"),
			1, 65535, &guest) < 0 ||
		check_string(c, below(at, sizeof(at), field, "address"),
			json_object_get(item, "address"), IPV4_TEXT_BYTES, &address) < 0 ||
		check_word(c, below(at, sizeof(at), field, "protocol"),
			json_object_get(item, "protocol"), protocols, &protocol) < 0)
		return -EINVAL;
	if (!guest)
		return check_fail(c, field, "guest", "ports: guest is wanted");
	*map = (struct port_map){.host_ip = 0x7f000001,
		.host_port = (uint16_t)host,
		.guest_port = (uint16_t)guest,
		.udp = protocol == 1};
	if (address && ipv4_parse(address, &map->host_ip) < 0)
		return check_fail(c, field, "address", "ports: \"%s\" is no IPv4 address", address);
	return 0;
}

static int take_ports(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	json_t *item;
	size_t i;

	if (json_is_null(value))
		return 0;
	if (!json_is_array(value) || json_array_size(value) > INSTANCE_PORTS_MAX)
		return check_fail(c, field, NULL, "ports: a list of at most %d is wanted",
			INSTANCE_PORTS_MAX);
	json_array_foreach(value, i, item)
	{
		char at[32];

		snprintf(at, sizeof(at), "ports/%zu", i);
		if (take_port(c, item, at, &q->ports[i]) < 0)
			return -EINVAL;
	}
	q->port_count = (unsigned)json_array_size(value);
	return 0;
}

static int take_wait(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	static const char *const words[] = {"none", "started", "ready", NULL};
	unsigned wait = q->wait;
	int r = check_word(c, field, value, words, &wait);

	q->wait = (enum run_wait)wait;
	return r;
}

static int take_wait_timeout(
	struct run_request *q, struct check *c, const char *field, json_t *value)
{
	return check_uint(c, field, value, 1, WAIT_MAX_MS, &q->wait_timeout_ms);
}

static int take_auto_remove(
	struct run_request *q, struct check *c, const char *field, json_t *value)
{
	return check_bool(c, field, value, &q->auto_remove);
}

static int take_trace(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	return check_bool(c, field, value, &q->trace);
}

/* The policy alone, or an object with it. */
static int take_restart(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	json_t *word = json_is_object(value) ? json_object_get(value, "policy") : value;
	unsigned policy = RESTART_NO;
	const char *key;
	json_t *item;

	json_object_foreach(value, key, item)
	{
		if (strcmp(key, "policy") != 0 && strcmp(key, "max_retries") != 0)
			return check_fail(c, field, key, "restart: there is no field %.40s", key);
	}
	if (check_word(c, field, word, restart_policy_names, &policy) < 0 ||
		check_uint(c, "restart/max_retries", json_object_get(value, "max_retries"), 0,
			RETRIES_MAX, &q->restart.max_retries) < 0)
		return -EINVAL;
	q->restart.policy = (enum restart_policy)policy;
	return 0;
}

static int take_volumes(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	return volumes_take(c, field, value, &q->volumes);
}

/* true, or an object that may say which CID. */
static int take_vsock(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	const char *key;
	json_t *item;

	if (json_is_null(value) || json_is_false(value))
		return 0;
	if (!json_is_true(value) && !json_is_object(value))
		return check_fail(c, field, NULL, "vsock: true, or an object with cid is wanted");
	json_object_foreach(value, key, item)
	{
		if (strcmp(key, "cid") != 0)
			return check_fail(c, field, key, "vsock: there is no field %.40s", key);
		if (check_uint(c, "vsock/cid", item, VSOCK_CID_MIN, VSOCK_CID_MAX, &q->vsock.cid) <
			0)
			return -EINVAL;
	}
	q->vsock.wanted = true;
	return 0;
}

static int take_health(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	return health_take(c, field, value, &q->health);
}

static int take_limits(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	return limits_take(c, field, value, &q->limits);
}

static int take_ttl(struct run_request *q, struct check *c, const char *field, json_t *value)
{
	return check_uint(c, field, value, 1, TTL_MAX_S, &q->ttl_s);
}

static const struct {
	const char *name;
	field_fn *take;
} fields[] = {
	{"image_name", take_image_name},
	{"from", take_from},
	{"cmdline", take_cmdline},
	{"args", take_args},
	{"read_only", take_read_only},
	{"name", take_name},
	{"memory_mib", take_memory},
	{"vcpus", take_vcpus},
	{"monitor", take_monitor},
	{"ip_address", take_ip},
	{"env", take_env},
	{"labels", take_labels},
	{"ports", take_ports},
	{"network", take_network},
	{"wait", take_wait},
	{"wait_timeout_ms", take_wait_timeout},
	{"auto_remove", take_auto_remove},
	{"trace", take_trace},
	{"kernel", take_kernel},
	{"mac", take_mac},
	{"volumes", take_volumes},
	{"vsock", take_vsock},
	{"restart", take_restart},
	{"health", take_health},
	{"ttl_s", take_ttl},
	{"limits", take_limits},
};

static int take_field(struct run_request *q, struct check *c, const char *name, json_t *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcasecmp(fields[i].name, name) == 0)
			return fields[i].take(q, c, fields[i].name, value);
	}
	return 0;
}

/* What a snapshot has already, no run from it can have another of. */
static int check_from(const struct run_request *q, struct check *c)
{
	const struct {
		const char *field;
		bool said;
	} fixed[] = {{"image_name", q->image_name != NULL},
		{q->argv ? "args" : "env", q->argv || json_object_size(q->env) > 0},
		{"memory_mib", q->memory_mib != 0}, {"vcpus", q->vcpus != 1},
		{"monitor", q->monitor != NULL}, {"kernel", q->kernel != NULL},
		{"volumes", json_array_size(q->volumes) > 0}, {"vsock", q->vsock.wanted},
		{"trace", q->trace}};

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (fixed[i].said)
			return check_fail(c, fixed[i].field, NULL,
				"%s: a VM that goes on from a snapshot has what the snapshot has",
				fixed[i].field);
	}
	return 0;
}

int run_request_take(json_t *root, struct run_request *out, struct check *c)
{
	struct run_request q = {.root = json_incref(root),
		.vcpus = 1,
		.wait = RUN_WAIT_STARTED,
		.wait_timeout_ms = WAIT_DEFAULT_MS};
	const char *name;
	json_t *value;
	int r;

	*c = (struct check){.pointer = ""};
	json_object_foreach(root, name, value)
	{
		r = take_field(&q, c, name, value);
		if (r < 0)
			goto out_fini;
	}
	if (!q.from && (!q.image_name || !*q.image_name)) {
		r = check_fail(c, "image_name", NULL, "image_name is wanted");
		goto out_fini;
	}
	r = q.from ? check_from(&q, c) : 0;
	if (r < 0)
		goto out_fini;
	if (q.auto_remove && q.restart.policy != RESTART_NO) {
		r = check_fail(c, "restart", NULL,
			"restart: a VM that is removed when it has ended can not be started again");
		goto out_fini;
	}
	*out = q;
	return 0;
out_fini:
	run_request_fini(&q);
	return r;
}

int run_request_parse(const char *body, size_t len, struct run_request *out, struct check *c)
{
	_cleanup_json_ json_t *root = NULL;

	*c = (struct check){.pointer = ""};
	if (jsonx_parse_object(body, len, BODY_DEPTH_MAX, &root, &c->err) < 0)
		return -EINVAL;
	return run_request_take(root, out, c);
}

void run_request_fini(struct run_request *q)
{
	args_free(q->argv);
	json_decref(q->root);
	json_decref(q->volumes);
	q->argv = NULL;
	q->volumes = NULL;
	q->root = NULL;
}
