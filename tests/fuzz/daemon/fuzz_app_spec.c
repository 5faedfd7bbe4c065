/* SPDX-License-Identifier: Apache-2.0 */
/* The body of PUT /app/{name}: what is taken must hold what the planner relies on, and be taken again as it is kept. */
#include "daemon/api/run_request.h"
#include "daemon/app/spec.h"
#include "lib/jsonx.h"

#include <stdlib.h>
#include <string.h>

static void check_spec(const struct app_spec *spec)
{
	uint64_t all = spec->count == 64 ? UINT64_MAX : (UINT64_C(1) << spec->count) - 1;

	if (spec->count > PLAN_SERVICES_MAX)
		abort();
	for (unsigned s = 0; s < spec->count; s++) {
		const struct app_service *service = &spec->services[s];

		if (!app_name_is_valid(service->name, APP_SERVICE_MAX_BYTES) ||
			service->replicas > APP_REPLICAS_MAX || (service->deps & ~all) ||
			(service->refs & ~service->deps) || (service->deps >> s & 1))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_t *root = NULL, *kept = NULL;
	struct app_spec spec;
	struct check c = {.pointer = ""};

	if (jsonx_parse_object((const char *)data, size, APP_SPEC_DEPTH, &root, &c.err) < 0)
		return 0;
	if (app_spec_parse(root, &spec, &c) < 0) {
		if (!c.err.msg[0])
			abort();
		return 0;
	}
	check_spec(&spec);
	kept = app_spec_json(&spec);
	app_spec_fini(&spec);
	if (app_spec_parse(kept, &spec, &c) < 0)
		abort();
	check_spec(&spec);
	app_spec_fini(&spec);
	return 0;
}
