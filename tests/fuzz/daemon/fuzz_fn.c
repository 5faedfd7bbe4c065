/* SPDX-License-Identifier: Apache-2.0 */
/* The body of PUT /fn/{name} (first byte '{'), and else a target, a Connection header and a header, a line each: nothing that a gateway
 * passes on may be taken for the end of a line or of a name. */
#include "daemon/fn/head.h"
#include "daemon/fn/spec.h"
#include "lib/jsonx.h"

#include <stdlib.h>
#include <string.h>

static void spec(const char *data, size_t size)
{
	_cleanup_json_ json_t *root = NULL, *kept = NULL;
	struct fn_spec spec, again;
	struct check c = {.pointer = ""};

	if (jsonx_parse_object(data, size, FN_SPEC_DEPTH, &root, &c.err) < 0)
		return;
	if (fn_spec_parse(root, &spec, &c) < 0) {
		if (!c.err.msg[0])
			abort();
		return;
	}
	if (spec.min > spec.max || !spec.max || !spec.concurrency || !spec.timeout_ms)
		abort();
	kept = fn_spec_json(&spec);
	if (fn_spec_parse(kept, &again, &c) < 0 ||
		fn_spec_hash(&spec, "") != fn_spec_hash(&again, ""))
		abort();
	fn_spec_fini(&again);
	fn_spec_fini(&spec);
}

static void check_passed(const char *name, const char *value)
{
	if (!*name || strpbrk(name, "\r\n:\t ") || strpbrk(value, "\r\n"))
		abort();
}

static void head(char *text)
{
	struct fn_connection c = {""};
	char none[1] = "", *line[4] = {text, none, none, none}, out[64];

	for (int i = 1; i < 4; i++) {
		char *end = strchr(line[i - 1], '\n');

		if (!end)
			break;
		*end = '\0';
		line[i] = end + 1;
	}
	if (fn_target_behind(line[0], 3, out, sizeof(out)) && out[0] != '/')
		abort();
	fn_connection_add(&c, line[1]);
	if (fn_passes_up(&c, line[2], line[3], true) || fn_passes_down(&c, line[2], line[3]))
		check_passed(line[2], line[3]);
	if (fn_method_is_valid(line[2]) && strpbrk(line[2], " \r\n"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size + 1);

	if (size && data[0] == '{')
		spec((const char *)data, size);
	if (!text || !size || data[0] == '{')
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	head(text);
	return 0;
}
