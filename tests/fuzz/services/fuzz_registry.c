/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of registries: whatever comes, only well-formed addresses are taken, and never too many. */
#include "services/common/registry_parse.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct endpoints *list)
{
	size_t order[ENDPOINTS_MAX];

	if (list->count > ENDPOINTS_MAX)
		abort();
	for (size_t k = 0; k < list->count; k++) {
		struct endpoint again;

		if (endpoint_parse(list->item[k].text, &again, NULL) < 0 ||
			strcmp(again.text, list->item[k].text) != 0 || list->item[k].weight < 1 ||
			list->item[k].weight > ENDPOINT_WEIGHT_MAX)
			abort();
	}
	endpoints_rank(list, "7", order);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = {"application/json; charset=utf-8", "text/html", NULL};
	const char *text = (const char *)data;
	struct memcached_slots slots;
	struct endpoints list;
	int64_t id, ttl_s;

	for (size_t i = 0; i < 3; i++) {
		registry_parse(types[i], text, size, &list);
		check(&list);
	}
	etcd_parse_range(text, size, &list);
	check(&list);
	if (etcd_parse_lease(text, size, &id, &ttl_s) == 0 && (id < 0 || ttl_s < 0))
		abort();
	if (memcached_parse("k", text, size, &slots) == 0) {
		memcached_list(&slots, &list);
		check(&list);
	}
	return 0;
}
