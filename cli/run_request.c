/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `uigniter run` as the body of POST /vm/run. */
#include "cli/run_request.h"

#include "cli/parse.h"

#include "lib/jsonx.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A port number in len characters, or -1. */
static int port_number(const char *s, size_t len)
{
	int n = 0;

	if (!len || len > 5)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		n = n * 10 + (s[i] - '0');
	}
	return n <= 65535 ? n : -1;
}

static bool is_ipv4(const char *s, size_t len, char address[INET_ADDRSTRLEN])
{
	struct in_addr in;

	if (len >= INET_ADDRSTRLEN)
		return false;
	memcpy(address, s, len);
	address[len] = '\0';
	return inet_pton(AF_INET, address, &in) == 1;
}

json_t *parse_port(const char *s)
{
	const char *last = strrchr(s, ':'),
		   *middle = last ? memrchr(s, ':', (size_t)(last - s)) : NULL;
	const char *guest_at = last ? last + 1 : s, *host_at = middle ? middle + 1 : s;
	char address[INET_ADDRSTRLEN] = "127.0.0.1";
	const char *slash = strchr(guest_at, '/');
	const char *protocol = slash ? slash + 1 : NULL; /* TCP */
	int guest = port_number(guest_at, slash ? (size_t)(slash - guest_at) : strlen(guest_at)),
	    host = 0;

	if (last)
		host = port_number(host_at, (size_t)(last - host_at));
	if (protocol && strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)
		return NULL;
	if (guest < 1 || host < 0 || (middle && !is_ipv4(s, (size_t)(middle - s), address)))
		return NULL;
	return json_pack("{s:s, s:i, s:i, s:s*}", "address", address, "host", host, "guest", guest,
		"protocol", protocol);
}

static int add_ports(const struct args *args, json_t *body, struct err *err)
{
	size_t n;
	const char *const *list = args_list(args, "publish", &n);
	json_t *ports = n ? json_array() : NULL;

	for (size_t i = 0; i < n; i++) {
		json_t *port = parse_port(list[i]);

		if (!port) {
			json_decref(ports);
			return err_set(err, EINVAL,
				"--publish \"%s\" is not [[ADDR:]HOST:]GUEST[/udp], such as "
				"8080:80",
				list[i]);
		}
		json_array_append_new(ports, port);
	}
	return ports && json_object_set_new(body, "ports", ports) ? -ENOMEM : 0;
}

json_t *parse_volume(const char *s)
{
	const char *colon = strchr(s, ':'), *target = colon ? colon + 1 : s,
		   *end = strchr(target, ':');
	char *source _cleanup_free_ = NULL, *given _cleanup_free_ = NULL;
	bool read_only = end && strcmp(end, ":ro") == 0;

	errno = 0;
	if (!colon || colon == s || *target != '/' || (end && !read_only))
		return NULL;
	given = strndup(s, (size_t)(colon - s));
	source = given ? realpath(given, NULL) : NULL;
	if (!source)
		return NULL;
	return json_pack("{s:s, s:s%, s:b}", "source", source, "target", target,
		end ? (size_t)(end - target) : strlen(target), "read_only", read_only);
}

static int add_volumes(const struct args *args, json_t *body, struct err *err)
{
	size_t n;
	const char *const *list = args_list(args, "volume", &n);
	json_t *volumes = n ? json_array() : NULL;

	for (size_t i = 0; i < n; i++) {
		json_t *volume = parse_volume(list[i]);

		if (volume) {
			json_array_append_new(volumes, volume);
			continue;
		}
		json_decref(volumes);
		if (errno)
			return err_sys(err, errno, "--volume \"%s\"", list[i]);
		return err_set(err, EINVAL,
			"--volume \"%s\" is not SRC:TARGET[:ro], such as data:/data or "
			"disk.img:/dev/vda",
			list[i]);
	}
	return volumes && json_object_set_new(body, "volumes", volumes) ? -ENOMEM : 0;
}

static int add_pair(json_t *map, const char *option, const char *pair, struct err *err)
{
	const char *equals = strchr(pair, '='), *value = equals ? equals + 1 : NULL;
	char *key _cleanup_free_ = strndup(pair, equals ? (size_t)(equals - pair) : strlen(pair));

	if (!key)
		return err_set(err, ENOMEM, "out of memory");
	if (!*key)
		return err_set(err, EINVAL, "--%s \"%s\" has no name before the =", option, pair);
	if (!equals && !strcmp(option, "env")) {
		value = getenv(key);
		if (!value)
			return 0;
	}
	if (json_object_set_new(map, key, json_string(value ? value : "")))
		return err_set(err, EINVAL, "--%s \"%s\" is not UTF-8", option, pair);
	return 0;
}

static int add_pairs(const struct args *args, const char *option, const char *field, json_t *body,
	struct err *err)
{
	size_t n;
	const char *const *list = args_list(args, option, &n);
	json_t *map = n ? json_object() : NULL;

	for (size_t i = 0; i < n; i++) {
		int rc = add_pair(map, option, list[i], err);

		if (rc) {
			json_decref(map);
			return rc;
		}
	}
	return map && json_object_set_new(body, field, map) ? -ENOMEM : 0;
}

static int add_text(const struct args *args, const char *option, const char *field, json_t *body,
	struct err *err)
{
	const char *v = args_text(args, option);

	if (v && json_object_set_new(body, field, json_string(v)))
		return err_set(err, EINVAL, "--%s is not UTF-8", option);
	return 0;
}

static int add_program(const struct args *args, json_t *body, struct err *err)
{
	json_t *words = args_program_words(args) ? json_array() : NULL;

	for (size_t i = 0; i < args_program_words(args); i++) {
		if (!json_array_append_new(words, json_string(args_program_word(args, i))))
			continue;
		json_decref(words);
		return err_set(err, EINVAL, "an argument of the program is not UTF-8");
	}
	return words && json_object_set_new(body, "args", words) ? -ENOMEM : 0;
}

static int add_numbers(const struct args *args, json_t *body)
{
	int rc = 0;

	if (args_has(args, "cpus"))
		rc |= json_object_set_new(body, "vcpus", json_integer(args_count(args, "cpus", 1)));
	if (args_has(args, "trace"))
		rc |= json_object_set_new(body, "trace", json_true());
	return rc ? -ENOMEM : 0;
}

static int add_life(const struct args *args, json_t *body)
{
	int rc = 0;

	if (args_has(args, "timeout"))
		rc |= json_object_set_new(body, "wait_timeout_ms",
			json_integer((int)(args_seconds(args, "timeout", 0) * 1000 + 0.999)));
	if (args_has(args, "rm") && args_has(args, "detach"))
		rc |= json_object_set_new(body, "auto_remove", json_true());
	if (args_has(args, "ttl"))
		rc |= json_object_set_new(body, "ttl_s", json_integer(args_count(args, "ttl", 0)));
	return rc ? -ENOMEM : 0;
}

/* "1.5" as percent, -1: it is no such number. */
static int parse_percent(const char *s)
{
	char *end;
	double cpus;

	if (!*s || s[strspn(s, "0123456789.")])
		return -1;
	errno = 0;
	cpus = strtod(s, &end);
	return errno || *end || cpus < 0.01 || cpus > 1000 ? -1 : (int)(cpus * 100 + 0.5);
}

static int add_limits(const struct args *args, json_t *body, struct err *err)
{
	static const struct {
		const char *option, *field;
	} counts[] = {{"cpu-weight", "cpu_weight"}, {"pids-limit", "pids"}};
	const char *cpus = args_text(args, "cpu-limit");
	int percent = cpus ? parse_percent(cpus) : 0;
	json_t *limits = json_object();

	if (percent < 0) {
		json_decref(limits);
		return err_set(err, EINVAL, "--cpu-limit %s: a number such as 1.5 is wanted", cpus);
	}
	if (percent)
		json_object_set_new(limits, "cpu_percent", json_integer(percent));
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		if (args_has(args, counts[i].option))
			json_object_set_new(limits, counts[i].field,
				json_integer(args_count(args, counts[i].option, 0)));
	}
	if (json_object_size(limits))
		json_object_set(body, "limits", limits);
	json_decref(limits);
	return 0;
}

/* "any", or a number, which the manager judges. */
static int add_vsock(const struct args *args, json_t *body, struct err *err)
{
	const char *v = args_text(args, "vsock");
	char *end = NULL;
	unsigned long cid;
	json_t *vsock;

	if (!v)
		return 0;
	if (strcmp(v, "any") == 0) {
		vsock = json_true();
	} else {
		cid = strtoul(v, &end, 10);
		if (*v < '0' || *v > '9' || *end || cid > UINT32_MAX)
			return err_set(err, EINVAL, "--vsock=%s: a CID or any is wanted", v);
		vsock = json_pack("{s:I}", "cid", (json_int_t)cid);
	}
	return json_object_set_new(body, "vsock", vsock) ? -ENOMEM : 0;
}

/* "on-failure" or "on-failure:5". */
static int add_restart(const struct args *args, json_t *body, struct err *err)
{
	const char *v = args_text(args, "restart"), *colon = v ? strchr(v, ':') : NULL;
	unsigned long retries = 0;
	char *end = NULL;

	if (!v)
		return 0;
	if (colon)
		retries = strtoul(colon + 1, &end, 10);
	if (colon && (colon[1] < '0' || colon[1] > '9' || *end || retries > 1000000))
		return err_set(err, EINVAL,
			"--restart \"%s\" is not POLICY[:MAX], such as on-failure:5", v);
	if (json_object_set_new(body, "restart",
		    json_pack("{s:o, s:i}", "policy",
			    json_stringn(v, colon ? (size_t)(colon - v) : strlen(v)), "max_retries",
			    (int)retries)))
		return err_set(err, EINVAL, "--restart is not UTF-8");
	return 0;
}

int run_request_words(const struct args *args, json_t *b, struct err *err)
{
	int rc = 0;

	if (args_has(args, "memory"))
		rc = json_object_set_new(
			     b, "memory_mib", json_integer(args_memory_mib(args, "memory", 0)))
			? -ENOMEM
			: 0;
	if (!rc)
		rc = add_pairs(args, "env", "env", b, err);
	if (!rc)
		rc = add_program(args, b, err);
	if (rc)
		return err && err->code ? rc : err_sys(err, -rc, "cannot make the request");
	return 0;
}

int run_request_program(const struct args *args, json_t *b, struct err *err)
{
	static const char *const texts[] = {"monitor", "network"};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(texts) && !rc; i++)
		rc = add_text(args, texts[i], texts[i], b, err);
	if (!rc)
		rc = add_numbers(args, b);
	if (!rc)
		rc = add_volumes(args, b, err);
	if (!rc)
		rc = add_pairs(args, "label", "labels", b, err);
	if (!rc)
		rc = run_request_words(args, b, err);
	if (rc)
		return err && err->code ? rc : err_sys(err, -rc, "cannot make the request");
	return 0;
}

const char *run_subject(const struct args *args)
{
	return args_operands(args) ? args_operand(args, 0) : args_text(args, "from");
}

int run_request(const struct args *args, json_t **body, struct err *err)
{
	static const struct {
		const char *option, *field;
	} texts[] = {{"name", "name"}, {"from", "from"}, {"ip", "ip_address"}, {"mac", "mac"},
		{"kernel", "kernel"}, {"wait", "wait"}};
	json_t *b _cleanup_json_ = json_object();
	bool image = args_operands(args) > 0;
	int rc = 0;

	if (!b ||
		(image && json_object_set_new(b, "image_name", json_string(args_operand(args, 0)))))
		return err_set(err, EINVAL, "the image's name is not UTF-8");
	for (size_t i = 0; i < ARRAY_SIZE(texts) && !rc; i++)
		rc = add_text(args, texts[i].option, texts[i].field, b, err);
	if (!rc)
		rc = add_life(args, b);
	if (!rc)
		rc = add_restart(args, b, err);
	if (!rc)
		rc = add_ports(args, b, err);
	if (rc == 0)
		rc = add_vsock(args, b, err);
	if (rc == 0)
		rc = add_limits(args, b, err);
	if (!rc)
		rc = run_request_program(args, b, err);
	if (rc)
		return err && err->code ? rc : err_sys(err, -rc, "cannot make the request");
	*body = steal_ptr(&b);
	return 0;
}
