/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/self: cmdline, environ, exe, stat, status, task, fd: lines that programs look for. */
#include "tests/guest/guest.h"

#include <dirent.h>

static char text[65536];

static long get(const char *path)
{
	int fd = open(path, O_RDONLY);
	long n = 0, r;

	while (fd >= 0 && (r = read(fd, text + n, sizeof(text) - 1 - (size_t)n)) > 0)
		n += r;
	text[n] = 0;
	close(fd);
	return fd < 0 ? -1 : n;
}
static void lines(const char *path, const char *const *names)
{
	NEED(get(path) > 0);
	for (; *names; names++)
		say("%s %s %d\n", path, *names, strstr(text, *names) != NULL);
}
int main(void)
{
	char pid[32];
	int n = 0;
	DIR *d;

	say("cmdline %d\n",
		get("/proc/self/cmdline") > 0 && strstr(text, "files/proc_self") != NULL);
	SHOW(get("/proc/self/environ") >= 0);
	snprintf(pid, sizeof(pid), "%d (proc_self) R ", (int)getpid());
	NEED(get("/proc/self/stat") > 0);
	say("stat %d\n", strncmp(text, pid, strlen(pid)) == 0);
	lines("/proc/self/status",
		(const char *const[]){"Name:\tproc_self\n", "VmRSS:\t", "Threads:\t1\n",
			"SigBlk:\t", "Uid:\t0\t0\t0\t0\n", NULL});
	lines("/proc/self/maps", (const char *const[]){"[stack]", " r-xp ", " rw-p ", NULL});
	lines("/proc/meminfo",
		(const char *const[]){"MemTotal: ", "MemFree: ", "MemAvailable: ", " kB\n", NULL});
	lines("/proc/cpuinfo", (const char *const[]){"processor\t: 0\n", "flags\t\t: ", NULL});
	lines("/proc/stat", (const char *const[]){"cpu  ", "cpu0 ", "btime ", NULL});
	SHOW(get("/proc/uptime") > 0);
	SHOW(get("/proc/loadavg") > 0);
	SHOW(get("/proc/self/none"));
	SHOW(get("/proc/self/fd/77"));
	SHOW(open("/proc/self/stat", O_WRONLY | O_TRUNC) >= -1);
	SHOW(mkdir("/proc/x", 0700) < 0);
	d = opendir("/proc/self/task");
	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	say("%d threads\n", n);
	return 0;
}
