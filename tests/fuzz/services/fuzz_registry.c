/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a registry: whatever comes, only well-formed addresses are taken, and never too many. */
#include "services/common/registry.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = {"application/json; charset=utf-8", "text/html", NULL};
	size_t order[ENDPOINTS_MAX];

	for (size_t i = 0; i < 3; i++) {
		struct endpoints list;

		registry_parse(types[i], (const char *)data, size, &list);
		if (list.count > ENDPOINTS_MAX)
			abort();
		for (size_t k = 0; k < list.count; k++) {
			struct endpoint again;

			if (endpoint_parse(list.item[k].text, &again, NULL) < 0 ||
				strcmp(again.text, list.item[k].text) != 0)
				abort();
		}
		endpoints_rank(&list, "7", order);
	}
	return 0;
}
