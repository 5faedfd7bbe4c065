/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets against patterns. A segment never holds more than was sent, and "..", however written, is only data. */
#include "lib/httpd_path.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const patterns[] = {"/", "/task/next", "/task/{id}", "/task/{id}/ready",
		"/image/{name...}", "/{a}/{b}/{c}"};
	char *target = malloc(size + 1);
	struct httpd_path p;

	memcpy(target, data, size);
	target[size] = '\0';
	if (httpd_path_parse(&p, target) == 0) {
		for (unsigned int i = 0; i < p.count; i++) {
			if (strlen(p.seg[i]) > size || !*p.seg[i])
				abort();
		}
		for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
			struct httpd_params params;

			if (httpd_path_match(&p, patterns[i], i & 1, &params) &&
				params.count > HTTPD_PARAMS_MAX)
				abort();
			httpd_params_fini(&params);
		}
		httpd_path_fini(&p);
	}
	free(target);
	return 0;
}
