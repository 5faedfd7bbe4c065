/* SPDX-License-Identifier: Apache-2.0 */
/* A body of the API: the first byte says which, the rest is JSON. What is refused must have a reason. */
#include "lib/err.h"
#include "lib/jsonx.h"
#include "vmm/config.h"

#include <stdint.h>
#include <stdlib.h>

#define DEPTH_MAX 8u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int apply(struct config *c, uint8_t which, json_t *body, struct err *err)
{
	struct snapshot_load_request want;
	struct snapshot_files files;

	json_object_del(body, "snapshot"); /* names files, which are made */
	switch (which % 8) {
	case 0:
		return config_machine(c, body, false, err);
	case 1:
		return config_machine(c, body, true, err);
	case 2:
		return config_boot(c, body, err);
	case 3:
		return config_net(c, "eth0", body, err);
	case 4:
		return config_drive(c, "d0", body, err);
	case 5:
		return config_start(c, body, err);
	case 6:
		if (which & 16) {
			json_object_del(body, "mem_file_path"); /* the same */
			return config_snapshot_create(c, body, &files, err);
		}
		return config_snapshot_load(c, body, which & 8, &want, err);
	default:
		return config_load(c, body, err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_t *body = NULL;
	struct err err = {0};
	struct config c;

	if (size < 1)
		return 0;
	config_init(&c);
	if (jsonx_parse_object((const char *)data + 1, size - 1, DEPTH_MAX, &body, &err) == 0) {
		int r = apply(&c, data[0], body, &err);

		if (r < 0 && err.msg[0] == '\0')
			abort();
		json_decref(config_json(&c));
	}
	config_fini(&c);
	return 0;
}
