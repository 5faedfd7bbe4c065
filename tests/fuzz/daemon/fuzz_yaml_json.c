/* SPDX-License-Identifier: Apache-2.0 */
/* YAML files. */
#include "daemon/yaml_json.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *root = NULL;

	if (yaml_load((const char *)data, size, &root, NULL) == 0)
		json_decref(root);
	return 0;
}
