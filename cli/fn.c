/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fn.h"

#include <errno.h>
#include <string.h>

const struct column fn_columns[] = {
	{"NAME", "name", COLUMN_TEXT},
	{"STATE", "state", COLUMN_TEXT},
	{"IMAGE", "image", COLUMN_TEXT},
	{"INSTANCES", "instance_count", COLUMN_TEXT},
	{"REQUESTS", "counters.requests", COLUMN_TEXT},
	{"COLD", "counters.cold", COLUMN_TEXT},
	{"URL", "url", COLUMN_TEXT},
	{"AGE", "created_at", COLUMN_AGE},
};
const size_t nfn_columns = ARRAY_SIZE(fn_columns);

int fn_path(struct buf *out, const char *name, const char *suffix, struct err *err)
{
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] || !*name)
		return err_set(err, ENOENT, "there is no such function (see: uigniter fn ls)");
	out->len = 0;
	return buf_printf(out, "/fn/%s%s", name, suffix) < 0 ? err_set(err, ENOMEM, "out of memory")
							     : 0;
}
