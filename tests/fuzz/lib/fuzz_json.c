/* SPDX-License-Identifier: Apache-2.0 */
/* JSON from outside: parsing with limits, the typed fields, and what is printed parses to the same again. */
#include "lib/jsonx.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_t *json = NULL, *again = NULL;
	_cleanup_free_ char *text = NULL;
	struct err err = {0};
	const char *s = "";
	int64_t n = 0;
	bool b = false;

	if (jsonx_parse((const char *)data, size, 16, &json, &err) < 0) {
		if (!err.code || !err.msg[0])
			abort();
		return 0;
	}
	text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	if (!text || jsonx_parse(text, strlen(text), 16, &again, NULL) < 0 ||
		!json_equal(json, again))
		abort();
	jsonx_str(json, "a", 8, &s, &err);
	jsonx_int(json, "a", -5, 5, &n, &err);
	jsonx_opt_bool(json, "a", &b, &err);
	if (strlen(s) > 8 || n < -5 || n > 5)
		abort();
	return 0;
}
