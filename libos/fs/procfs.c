/* SPDX-License-Identifier: Apache-2.0 */
/* /proc: its table, and the functions that make each file. The texts are those of proc(5), as far as there is something to say. */
#include "libos/fs/tablefs.h"
#include "libos/klib/errno.h"

static int64_t next_number(const char *path, int64_t from)
{
	return -1;
}

static const struct table_entry entries[] = {
	{"filesystems",
		.text = "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\n\terofs\n"},
};

static const struct table table = {entries, sizeof(entries) / sizeof(entries[0]), next_number};

int procfs_new(struct super **sb)
{
	return tablefs_new("proc", 0x9fa0, true, &table, sb);
}
