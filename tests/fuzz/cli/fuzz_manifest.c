/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests from bytes: YAML, the validator, and what a good one becomes. */
#include "cli/image/manifest.h"

#include "lib/jsonx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yaml doc = {0};
	struct err err = {0};
	char *line = NULL;

	if (yaml_load("fuzz", (const char *)data, size, &doc, &err))
		return 0;
	if (!manifest_check(&doc, true, &err)) {
		json_decref(manifest_config(doc.root, "/bin/x"));
		manifest_cmdline(doc.root, &line, &err);
		free(line);
	}
	yaml_fini(&doc);
	return 0;
}
