/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter port: where the ports of an instance are published, a line each; of one port, only where. */
#include "cli/verb.h"

#include <stdio.h>
#include <string.h>

static const char *text(const json_t *port, const char *key)
{
	const char *value = json_string_value(json_object_get(port, key));

	return value ? value : "";
}

/* Whether wanted ("80", "53/udp", NULL: all) names the port. */
static bool is_wanted(const json_t *port, const char *wanted)
{
	json_int_t guest = json_integer_value(json_object_get(port, "guest"));
	char with[32], without[24];

	if (!wanted)
		return true;
	snprintf(without, sizeof(without), "%lld", (long long)guest);
	snprintf(with, sizeof(with), "%s/%.6s", without, text(port, "protocol"));
	return strcmp(with, wanted) == 0 ||
		(strcmp(text(port, "protocol"), "tcp") == 0 && strcmp(without, wanted) == 0);
}

static unsigned print_ports(const json_t *ports, const char *wanted)
{
	const json_t *port;
	unsigned found = 0;
	size_t n;

	json_array_foreach(ports, n, port)
	{
		if (!is_wanted(port, wanted))
			continue;
		found++;
		if (!wanted)
			printf("%lld/%s -> ",
				(long long)json_integer_value(json_object_get(port, "guest")),
				text(port, "protocol"));
		printf("%s:%lld%s\n", text(port, "address"),
			(long long)json_integer_value(json_object_get(port, "host")),
			json_is_true(json_object_get(port, "lost")) ? " (lost)" : "");
	}
	return found;
}

int cmd_port(const struct invocation *inv)
{
	const char *name = args_operand(inv->args, 0),
		   *wanted = args_operands(inv->args) > 1 ? args_operand(inv->args, 1) : NULL;
	struct api *api _cleanup_(api_closep) = NULL;
	struct buf path _cleanup_buf_ = {0};
	json_t *vm _cleanup_json_ = NULL;
	struct err err = {0};
	int rc;

	if (verb_open(inv, &api))
		return EXIT_USAGE;
	rc = api_vm_path(&path, name, "", &err);
	if (!rc)
		rc = api_call(api, &(struct api_request){.path = path.data}, &vm, &err);
	if (rc)
		return complain(
			exit_status_of(rc), "cannot show the ports of \"%s\": %s", name, err.msg);
	if (!print_ports(json_object_get(vm, "ports"), wanted) && wanted)
		return complain(EXIT_NO_OBJECT, "port %s of \"%s\" is not published", wanted, name);
	return 0;
}
