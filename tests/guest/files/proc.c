/* SPDX-License-Identifier: Apache-2.0 */
/* The files of /proc and /sys that programs read, in the form in which they parse them. */
#include "tests/guest/guest.h"

static char text[65536];

static char *slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	text[0] = '\0';
	if (fd < 0) {
		say("%s: %s\n", path, errname(errno));
		return text;
	}
	while (len + 1 < sizeof(text) && (n = read(fd, text + len, sizeof(text) - len - 1)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fd);
	return text;
}

/* The mapping of /proc/self/maps that has address: its permissions. */
static const char *mapped(const void *address, const char *name)
{
	static char perms[8];
	char *line = slurp("/proc/self/maps");

	for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx %7s", &from, &to, perms) == 3 &&
			(unsigned long)address >= from && (unsigned long)address < to)
			return strncmp(perms, "rw", 2) == 0 && !strstr(line, name)
				? "has another name"
				: perms;
	}
	return "missing";
}

int main(int argc, char **argv)
{
	int local = 0, cpus = 0;
	long value;
	char *p;

	ASK(readlink("/proc/self/exe", text, sizeof(text)) > 0 && strstr(text, "proc"));
	say("stack: %s\n", mapped(&local, "[stack]"));
	say("heap: %s\n",
		mapped((char *)syscall(SYS_brk, syscall(SYS_brk, 0) + PAGE) - 1, "[heap]"));
	say("code: %s\n", mapped((void *)(uintptr_t)main, ""));
	ASK(sscanf(slurp("/proc/meminfo"), "MemTotal: %ld kB", &value) == 1 && value > 1000);
	p = strstr(slurp("/proc/meminfo"), "MemAvailable:");
	ASK(p && sscanf(p, "MemAvailable: %ld kB", &value) == 1 && value > 1000);
	for (p = slurp("/proc/cpuinfo"); (p = strstr(p, "processor")); p++)
		cpus++;
	ASK(cpus >= 1);
	p = strrchr(slurp("/proc/self/stat"), ')');
	for (int field = 2; p && field < 24; field++)
		p = strchr(p + 1, ' ');
	ASK(p && p[1] >= '0' &&
		p[1] <= '9'); /* field 24, rss: a small program may have 0 by the counters of its processor */
	p = strstr(slurp("/proc/self/status"), "VmRSS:");
	ASK(p && sscanf(p, "VmRSS: %ld kB", &value) == 1 && value > 0);
	p = strstr(slurp("/proc/self/status"), "Threads:");
	ASK(p && sscanf(p, "Threads: %ld", &value) == 1 && value == 1);
	ASK(strcmp(slurp("/proc/self/cmdline"), argv[0]) == 0);
	slurp("/proc/self/comm");
	say("%s", text);
	p = slurp("/sys/devices/system/cpu/online");
	ASK(p[0] == '0' && (p[1] == '\n' || p[1] == '-'));
	ASK(atol(slurp("/proc/sys/net/core/somaxconn")) >= 128);
	ASK(strlen(slurp("/proc/sys/vm/overcommit_memory")) == 2);
	ASK(strchr(slurp("/proc/uptime"), ' ') != NULL);
	ASK(strtod(slurp("/proc/loadavg"), NULL) >= 0);
	ASK(strstr(slurp("/proc/stat"), "cpu") != NULL);
	ASK(strstr(slurp("/proc/mounts"), " / ") != NULL ||
		strstr(slurp("/proc/self/mounts"), " / ") != NULL);
	slurp("/proc/missing");
	SHOW(open("/proc/self/stat", O_WRONLY | O_CREAT | O_EXCL, 0600));
	SHOW(mkdir("/proc/x", 0700));
	snprintf(text, sizeof(text), "/proc/%d/stat", getpid());
	SHOW(access(text, R_OK));
	local = open("/dev/null", O_RDONLY);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", local);
	{
		char target[64] = {0};

		SHOW(readlink(text, target, sizeof(target) - 1));
		say("%s\n", target);
	}
	return 0;
}
