/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/self/limits: a line a limit, with what was set. */
#include "tests/guest/guest.h"

#include <sys/resource.h>

/* The lines whose name begins so; without the values, which differ between machines. */
static void lines(const char *begin, bool values)
{
	FILE *f = fopen("/proc/self/limits", "r");
	char line[256];

	NEED(f);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, begin, strlen(begin)) != 0)
			continue;
		if (values)
			say("%s", line);
		else
			say("%.26s| %zu %s", line, strlen(line),
				strlen(line) > 68 ? line + 68 : "\n");
	}
	fclose(f);
}

static void set(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit r = {soft, hard};

	NEED(setrlimit(resource, &r) == 0);
}

int main(void)
{
	lines("", false);
	set(RLIMIT_FSIZE, 123456789, RLIM_INFINITY);
	set(RLIMIT_LOCKS, 7, 8);
	set(RLIMIT_NOFILE, 100, 200);
	set(RLIMIT_RTTIME, 5000000, RLIM_INFINITY);
	set(RLIMIT_MSGQUEUE, 1, 2);
	set(RLIMIT_NICE, 0, 0);
	set(RLIMIT_RTPRIO, 0, 0);
	lines("Limit", true);
	lines("Max file size", true);
	lines("Max file locks", true);
	lines("Max open", true);
	lines("Max realtime", true);
	lines("Max msgqueue", true);
	lines("Max nice", true);
	return 0;
}
