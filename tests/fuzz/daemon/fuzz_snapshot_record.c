/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a snapshot: what is taken is whole and in bounds, what is not has a reason. */
#include "daemon/config.h"
#include "daemon/durable.h"
#include "daemon/snapshot/impl.h"
#include "lib/jsonx.h"

#include <stdlib.h>
#include <string.h>

static void check(const struct snapshot *s)
{
	if (!s->id[0] || !digest_is_valid(s->digest) || !digest_is_valid(s->host.monitor) ||
		!s->command || s->memory_mib < CONFIG_MEMORY_MIB_MIN ||
		s->memory_mib > CONFIG_MEMORY_MIB_MAX || s->created.tv_nsec < 0)
		abort();
}

static void free_words(char **words)
{
	for (char **w = words; w && *w; w++)
		free(*w);
	free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot s = {.name = "one"};
	_cleanup_json_ json_t *root = NULL;
	struct err err = {0};

	if (jsonx_parse_object((const char *)data, size, DURABLE_RECORD_DEPTH, &root, &err) < 0)
		return 0;
	if (snapshot_record_load(&s, root, &err) == 0)
		check(&s);
	else if (!err.msg[0])
		abort();
	free_words(s.argv);
	free_words(s.env);
	free(s.command);
	return 0;
}
