/* SPDX-License-Identifier: Apache-2.0 */
/* Locked memory counts: VmLck, RLIMIT_MEMLOCK, and what may not be done to it. */
#include "tests/guest/guest.h"

#include <sys/resource.h>

static void show_locked(const char *after)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kb = -1;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "VmLck: %ld kB", &kb) == 1)
			break;
	}
	if (f)
		fclose(f);
	say("%s: %ld kB\n", after, kb);
}

static void *map(int more)
{
	return mmap(
		NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | more, -1, 0);
}

static void show_map(const char *text, int more)
{
	void *p = map(more);

	say("%s: %s\n", text,
		p != MAP_FAILED           ? "ok"
			: errno == EAGAIN ? "EAGAIN"
			: errno == EPERM  ? "EPERM"
					  : "?");
	if (p != MAP_FAILED)
		munmap(p, 8 * PAGE);
}

static void counted(char *p)
{
	show_locked("at first");
	SHOW(mlock(p + 1, PAGE)); /* two pages */
	show_locked("two pages");
	SHOW(mlock(p, 4 * PAGE));
	show_locked("two more around them");
	SHOW(munlock(p + PAGE, PAGE));
	show_locked("a hole");
	SHOW(munmap(p + 2 * PAGE, PAGE));
	show_locked("one unmapped");
	SHOW(mlock(p, 4 * PAGE));
	SHOW(madvise(p, PAGE, MADV_DONTNEED));
	SHOW(madvise(p, PAGE, MADV_FREE));
	SHOW(msync(p, PAGE, MS_INVALIDATE));
	SHOW(msync(p, PAGE, MS_ASYNC));
	SHOW(munlockall());
	show_locked("none");
	SHOW(madvise(p, PAGE, MADV_DONTNEED));
	SHOW(msync(p, PAGE, MS_INVALIDATE));
}

static void future(void)
{
	void *p;

	SHOW(mlockall(MCL_FUTURE));
	p = map(0);
	show_locked("mapped afterwards");
	munmap(p, 8 * PAGE);
	SHOW(munlockall());
	p = map(MAP_LOCKED);
	show_locked("MAP_LOCKED");
	munmap(p, 8 * PAGE);
}

static void limited(char *p)
{
	struct rlimit limit = {4 * PAGE, 4 * PAGE};

	SHOW(setrlimit(RLIMIT_MEMLOCK, &limit));
	SHOW(mlock(p, 8 * PAGE));
	SHOW(munlock(p, 8 * PAGE));
	SHOW(setresuid(1000, 1000, 1000));
	SHOW(mlock(p, 5 * PAGE));
	SHOW(mlock(p, 4 * PAGE));
	SHOW(mlock(p, 3 * PAGE));
	SHOW(mlock(p + 4 * PAGE, PAGE));
	show_map("a locked mapping", MAP_LOCKED);
	SHOW(mlockall(MCL_CURRENT));
	SHOW(munlockall());
	limit.rlim_cur = 0;
	SHOW(setrlimit(RLIMIT_MEMLOCK, &limit));
	SHOW(mlock(p, PAGE));
	SHOW(mlockall(MCL_FUTURE));
	show_map("a locked mapping", MAP_LOCKED);
	show_map("another one", 0);
}

int main(void)
{
	int fd = open("locked", O_WRONLY | O_CREAT, 0600);
	char *p = map(0);

	counted(p);
	munmap(p, 8 * PAGE);
	future();
	limited(map(0));
	ASK(mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EINVAL);
	ASK(mmap(NULL, 0, PROT_READ, MAP_SHARED, -1, 0) == MAP_FAILED && errno == EBADF);
	return 0;
}
