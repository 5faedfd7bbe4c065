/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks: the first line of an instance's answer, and the field of a request. */
#include "daemon/instance/health.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int status = health_status((const char *)data, size);
	_cleanup_json_ json_t *value = NULL, *back = NULL;
	struct health_spec s = {0};
	struct check c = {.pointer = ""};

	if (status != -EAGAIN && status != -EPROTO && (status < 0 || status > 999))
		abort();
	if (jsonx_parse((const char *)data, size, 8, &value, NULL) < 0 ||
		health_take(&c, "health", value, &s) < 0)
		return 0;
	back = health_spec_json(&s);
	if (health_take(&c, "health", back, &s) < 0)
		abort();
	return 0;
}
