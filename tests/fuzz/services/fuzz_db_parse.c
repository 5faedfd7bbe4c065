/* SPDX-License-Identifier: Apache-2.0 */
/* What db reads from requests. Lines of the input: priority, delay, key, parameters, list of ids, worker's name. */
#include "services/db/parse.h"

#include <string.h>

#define IDS 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_wish(char *const line[6])
{
	struct err err = {0};
	struct wish w;

	if (parse_wish(line[0], line[1], line[2], line[3], &w, &err) < 0)
		return;
	if (w.priority < 0 || w.priority > PRIORITY_MAX || w.delay_ms < 0 ||
		w.delay_ms > DELAY_MAX_MS)
		__builtin_trap();
	if ((w.key && (!*w.key || strlen(w.key) >= KEY_BYTES)) ||
		(w.params && (strlen(w.params) >= PARAMS_BYTES || strpbrk(w.params, "\r\n\" "))))
		__builtin_trap();
}

static void check_ids(const char *text)
{
	int64_t ids[IDS];
	int n = parse_ids(text, ids, IDS);

	for (int i = 0; i < n; i++) {
		if (ids[i] < 0 || ids[i] > INT64_C(999999999999999999))
			__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *rest = text, *line[6], name[WORKER_BYTES];

	memcpy(text, data, size);
	text[size] = '\0';
	for (int i = 0; i < 6; i++)
		line[i] = rest ? strsep(&rest, "\n") : NULL;
	check_wish(line);
	check_ids(line[4] ?: "");
	parse_text(line[5], name, sizeof(name));
	for (const char *c = name; *c; c++) {
		if (*c < ' ' || *c > '~')
			__builtin_trap();
	}
	free(text);
	return 0;
}
