/* SPDX-License-Identifier: Apache-2.0 */
/* /sys: the few files that run-time systems read to learn of CPUs, memory nodes and clocks. One CPU, one node. */
#include "libos/fs/tablefs.h"

static int64_t no_number(const char *path, int64_t from)
{
	return -1;
}

static const struct table_entry entries[] = {
	{"devices/system/cpu/online", .text = "0\n"},
	{"devices/system/cpu/possible", .text = "0\n"},
	{"devices/system/cpu/present", .text = "0\n"},
	{"devices/system/cpu/kernel_max", .text = "0\n"},
	{"devices/system/cpu/cpu0/online", .text = "1\n"},
	{"devices/system/cpu/cpu0/topology/core_id", .text = "0\n"},
	{"devices/system/cpu/cpu0/topology/physical_package_id", .text = "0\n"},
	{"devices/system/cpu/cpu0/topology/thread_siblings_list", .text = "0\n"},
	{"devices/system/node/online", .text = "0\n"},
	{"devices/system/node/possible", .text = "0\n"},
	{"devices/system/node/has_normal_memory", .text = "0\n"},
	{"devices/system/node/node0/cpulist", .text = "0\n"},
	{"devices/system/node/node0/cpumap", .text = "1\n"},
	{"devices/system/node/node0/distance", .text = "10\n"},
	{"devices/system/clocksource/clocksource0/current_clocksource", .text = "tsc\n"},
	{"devices/system/clocksource/clocksource0/available_clocksource", .text = "tsc\n"},
	{"kernel/mm/transparent_hugepage/enabled", .text = "always madvise [never]\n"},
	{"kernel/mm/transparent_hugepage/defrag",
		.text = "always defer defer+madvise madvise [never]\n"},
	{"kernel/mm/transparent_hugepage/shmem_enabled",
		.text = "always within_size advise [never] deny force\n"},
	{"kernel/mm/transparent_hugepage/hpage_pmd_size", .text = "2097152\n"},
	{"kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", .text = "0\n"},
	{"kernel/mm/hugepages/hugepages-2048kB/free_hugepages", .text = "0\n"},
};

static const struct table table = {entries, sizeof(entries) / sizeof(entries[0]), no_number};

int sysfs_new(struct super **sb)
{
	return tablefs_new("sysfs", 0x62656572, false, &table, sb);
}
