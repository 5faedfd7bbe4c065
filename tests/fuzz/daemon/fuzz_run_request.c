/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST /vm/run. What is taken must hold what the rest of the manager relies on. */
#include "daemon/api/run_request.h"

#include <string.h>

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
	if (q.from ? q.image_name || !name_is_valid(q.from) : !image_name_is_valid(q.image_name))
		abort();
	if ((q.name && !name_is_valid(q.name)) || q.port_count > INSTANCE_PORTS_MAX || q.vcpus < 1)
		abort();
	for (unsigned i = 0; i < q.port_count; i++) {
		if (!q.ports[i].guest_port)
			abort();
	}
	run_request_fini(&q);
	return 0;
}
