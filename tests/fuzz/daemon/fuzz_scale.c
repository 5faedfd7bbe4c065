/* SPDX-License-Identifier: Apache-2.0 */
/* What an instance answers about its metrics: read by the manager, and never trusted. */
#include "daemon/app/scale.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct scale_spec rule = {.min = 1, .max = 4, .target = 10};
	struct scale_state state = {0};
	double value = 0;
	unsigned n;

	scale_answer((const char *)data, size, "m", &value);
	if (scale_metric((const char *)data, size, "m", &value) == 0 &&
		(!isfinite(value) || value < 0))
		abort();
	n = scale_decide(&rule, &state, 2, value, 1000000000);
	if (n < rule.min || n > rule.max)
		abort();
	return 0;
}
