/* SPDX-License-Identifier: Apache-2.0 */
/* What programs read in /proc and /sys is there and has its form. */
#include "tests/guest/guest.h"

static void peek(const char *path, const char *form)
{
	char text[4096] = "", word[64];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	say("%s: %s\n", path,
		n < 0                                   ? errname(errno)
			: sscanf(text, form, word) == 1 ? "as expected"
							: "another form");
	if (fd >= 0)
		close(fd);
}
int main(void)
{
	peek("/proc/meminfo", "MemTotal: %63[0-9] kB");
	peek("/proc/cpuinfo", "processor : %63[0-9]");
	peek("/proc/stat", "cpu %63[0-9]");
	peek("/proc/uptime", "%63[0-9.]");
	peek("/proc/loadavg", "%63[0-9.]");
	peek("/proc/version", "Linux version %63s");
	peek("/proc/self/stat", "%63[0-9]");
	peek("/proc/self/statm", "%63[0-9]");
	peek("/proc/self/status", "Name: %63s");
	peek("/proc/self/maps", "%63[0-9a-f]-");
	peek("/proc/self/limits", "Limit %63s");
	peek("/proc/self/mountinfo", "%63[0-9]");
	peek("/proc/mounts", "%63s");
	peek("/proc/filesystems", "%63s");
	peek("/proc/sys/kernel/osrelease", "%63[0-9.]");
	peek("/proc/sys/kernel/pid_max", "%63[0-9]");
	peek("/proc/sys/vm/overcommit_memory", "%63[0-9]");
	peek("/proc/sys/vm/max_map_count", "%63[0-9]");
	peek("/proc/sys/net/core/somaxconn", "%63[0-9]");
	peek("/sys/devices/system/cpu/online", "%63[0-9-]");
	peek("/proc/nowhere", "%63s");
	return 0;
}
