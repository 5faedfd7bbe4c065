/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST /vm/run. What is taken must hold what the rest of the manager relies on. */
#include "daemon/api/run_request.h"

#include <string.h>

/* Not reached, or not of interest: which monitors and policies there are, and the network of a boot line. */
const char *const restart_policy_names[] = {"no", "on-failure", "always", "unless-stopped", NULL};

const struct monitor_ops *monitor_find(const char *name)
{
	static const struct monitor_ops ops;

	return strcmp(name, "process") == 0 ? &ops : NULL;
}

const struct subnet *network_subnet(const struct network *net)
{
	(void)net;
	return NULL;
}

const struct subnet6 *network_subnet6(const struct network *net)
{
	(void)net;
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run_request q;
	struct check c;

	if (run_request_parse((const char *)data, size, &q, &c) < 0) {
		if (!c.err.msg[0])
			abort();
		return 0;
	}
	if (!image_name_is_valid(q.image_name) || (q.name && !name_is_valid(q.name)) ||
		q.port_count > INSTANCE_PORTS_MAX || q.vcpus < 1)
		abort();
	for (unsigned i = 0; i < q.port_count; i++) {
		if (!q.ports[i].guest_port)
			abort();
	}
	run_request_fini(&q);
	return 0;
}
