/* SPDX-License-Identifier: Apache-2.0 */
/* /proc: what the machine looks like. One CPU; its name and features come from CPUID, which works at CPL 3. */
#include "libos/exec/args.h"
#include "libos/fs/procfs.h"
#include "libos/klib/random.h"
#include "libos/klib/string.h"
#include "libos/mem/page.h"
#include "libos/sched/clock.h"
#include "libos/sched/thread.h"
#include "libos/sys/sys_info.h"
#include "libos/sys/sysctl.h"

#include <cpuid.h>

struct feature {
	uint32_t leaf;
	uint8_t reg; /* 0 eax ... 3 edx */
	uint8_t bit;
	const char *name;
};

static const struct feature features[] = {
	{1, 3, 0, "fpu"},
	{1, 3, 4, "tsc"},
	{1, 3, 6, "pae"},
	{1, 3, 8, "cx8"},
	{1, 3, 15, "cmov"},
	{1, 3, 19, "clflush"},
	{1, 3, 23, "mmx"},
	{1, 3, 24, "fxsr"},
	{1, 3, 25, "sse"},
	{1, 3, 26, "sse2"},
	{1, 3, 28, "ht"},
	{1, 2, 0, "pni"},
	{1, 2, 1, "pclmulqdq"},
	{1, 2, 9, "ssse3"},
	{1, 2, 12, "fma"},
	{1, 2, 13, "cx16"},
	{1, 2, 19, "sse4_1"},
	{1, 2, 20, "sse4_2"},
	{1, 2, 22, "movbe"},
	{1, 2, 23, "popcnt"},
	{1, 2, 25, "aes"},
	{1, 2, 26, "xsave"},
	{1, 2, 28, "avx"},
	{1, 2, 29, "f16c"},
	{1, 2, 30, "rdrand"},
	{1, 2, 31, "hypervisor"},
	{7, 1, 0, "fsgsbase"},
	{7, 1, 3, "bmi1"},
	{7, 1, 5, "avx2"},
	{7, 1, 8, "bmi2"},
	{7, 1, 9, "erms"},
	{7, 1, 16, "avx512f"},
	{7, 1, 18, "rdseed"},
	{7, 1, 19, "adx"},
	{7, 1, 29, "sha_ni"},
	{7, 1, 30, "avx512bw"},
	{7, 1, 31, "avx512vl"},
	{7, 3, 4, "fsrm"},
	{0x80000001, 3, 11, "syscall"},
	{0x80000001, 3, 20, "nx"},
	{0x80000001, 3, 29, "lm"},
	{0x80000001, 2, 5, "abm"},
};

static void cpuid_leaf(uint32_t leaf, uint32_t r[4])
{
	__cpuid_count(leaf, 0, r[0], r[1], r[2], r[3]);
}

static void flags_line(struct text *t)
{
	uint32_t r[4] = {0}, have = 0;

	text_printf(t, "flags\t\t:");
	for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		if (features[i].leaf != have)
			cpuid_leaf(have = features[i].leaf, r);
		if (r[features[i].reg] >> features[i].bit & 1)
			text_printf(t, " %s", features[i].name);
	}
	text_printf(t, "\n");
}

/* The 48 bytes of leaves 0x80000002 to 4, blanks in front dropped. */
static void model_name(char name[49])
{
	uint32_t r[4];

	cpuid_leaf(0x80000000, r);
	name[0] = 0;
	for (uint32_t i = 0; i < 3 && r[0] >= 0x80000004; i++) {
		uint32_t part[4];

		cpuid_leaf(0x80000002 + i, part);
		memcpy(name + 16 * i, part, 16);
		name[16 * i + 16] = 0;
	}
}

int proc_cpuinfo(struct text *t, uint64_t n)
{
	uint32_t r[4], family, model;
	char vendor[13], name[49];
	uint64_t khz = clock_khz();

	cpuid_leaf(0, r);
	memcpy(vendor, &r[1], 4);
	memcpy(vendor + 4, &r[3], 4);
	memcpy(vendor + 8, &r[2], 4);
	vendor[12] = 0;
	model_name(name);
	cpuid_leaf(1, r);
	family = (r[0] >> 8 & 15) + ((r[0] >> 8 & 15) == 15 ? r[0] >> 20 & 255 : 0);
	model = (r[0] >> 4 & 15) | (r[0] >> 12 & 0xf0);
	text_printf(t,
		"processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: "
		"%s\nstepping\t: %u\n",
		vendor, family, model, name, r[0] & 15);
	text_printf(t,
		"cpu MHz\t\t: %lu.%03lu\nphysical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\ncpu "
		"cores\t: 1\n",
		(unsigned long)(khz / 1000), (unsigned long)(khz % 1000));
	text_printf(t, "fpu\t\t: yes\nfpu_exception\t: yes\nwp\t\t: yes\n");
	flags_line(t);
	text_printf(t,
		"bogomips\t: %lu.%02lu\nclflush size\t: 64\ncache_alignment\t: 64\naddress "
		"sizes\t: 46 bits physical, 48 bits virtual\n\n",
		(unsigned long)(khz / 500), (unsigned long)(khz / 5 % 100));
	return 0;
}

int proc_meminfo(struct text *t, uint64_t n)
{
	unsigned long total = (unsigned long)(page_total() * PAGE_BYTES >> 10);
	unsigned long left = (unsigned long)(page_free_count() * PAGE_BYTES >> 10);

	text_printf(t,
		"MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n",
		total, left, left);
	text_printf(t,
		"Buffers:               0 kB\nCached:                0 kB\nSwapCached:            "
		"0 kB\n");
	text_printf(t,
		"Active:         %8lu kB\nInactive:              0 kB\nSwapTotal:             0 "
		"kB\nSwapFree:              0 kB\n",
		total - left);
	text_printf(t,
		"Shmem:                 0 kB\nCommitLimit:    %8lu kB\nCommitted_AS:   %8lu kB\n",
		total, total - left);
	text_printf(t,
		"AnonHugePages:         0 kB\nHugePages_Total:       0\nHugePages_Free:        "
		"0\nHugepagesize:       2048 kB\n");
	return 0;
}

int proc_machine_stat(struct text *t, uint64_t n)
{
	uint64_t busy = process_cpu_ns() / 10000000, all = clock_mono_ns() / 10000000;
	unsigned long idle = (unsigned long)(all > busy ? all - busy : 0);

	text_printf(t,
		"cpu  %lu 0 0 %lu 0 0 0 0 0 0\ncpu0 %lu 0 0 %lu 0 0 0 0 0 0\nintr 0\nctxt 0\nbtime "
		"%lu\nprocesses 1\n",
		(unsigned long)busy, idle, (unsigned long)busy, idle,
		(unsigned long)((clock_real_ns() - clock_mono_ns()) / NS_PER_SEC));
	text_printf(t, "procs_running 1\nprocs_blocked 0\n");
	return 0;
}

int proc_uptime(struct text *t, uint64_t n)
{
	uint64_t up = clock_mono_ns() / 10000000, busy = process_cpu_ns() / 10000000,
		 idle = up > busy ? up - busy : 0;

	text_printf(t, "%lu.%02lu %lu.%02lu\n", (unsigned long)(up / 100),
		(unsigned long)(up % 100), (unsigned long)(idle / 100),
		(unsigned long)(idle % 100));
	return 0;
}

int proc_hostname(struct text *t, uint64_t n)
{
	text_printf(t, "%s\n", boot_args.hostname[0] ? boot_args.hostname : "uigniter");
	return 0;
}

int proc_domainname(struct text *t, uint64_t n)
{
	text_printf(t, "%s\n", domain_name);
	return 0;
}

int proc_sysctl(struct text *t, uint64_t n)
{
	text_printf(t, "%ld\n", (long)sysctl_value[n - 1]);
	return 0;
}

int proc_sysctl_write(const char *buf, size_t len, uint64_t n)
{
	return sysctl_set((enum sysctl)(n - 1), buf, len);
}

/* RFC 4122, version 4. */
static void uuid_text(struct text *t, uint8_t u[16])
{
	u[6] = (u[6] & 0x0f) | 0x40;
	u[8] = (u[8] & 0x3f) | 0x80;
	for (unsigned i = 0; i < 16; i++)
		text_printf(t, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", u[i]);
	text_printf(t, "\n");
}

int proc_uuid(struct text *t, uint64_t n)
{
	uint8_t u[16];

	random_bytes(u, sizeof(u));
	uuid_text(t, u);
	return 0;
}

int proc_boot_id(struct text *t, uint64_t n)
{
	static uint8_t id[16];
	static unsigned made; /* for this generation */

	if (made != random_generation)
		random_bytes(id, sizeof(id));
	made = random_generation;
	uuid_text(t, id);
	return 0;
}
