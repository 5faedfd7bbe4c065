/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/self/smaps: what each area has in memory, and what of it is locked. */
#include "tests/guest/guest.h"

static void show(const char *what, const char *at)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long start, kb;
	bool here = false;
	char line[256];

	NEED(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-", &start) == 1 && strchr(line, '-') &&
			strchr(line, '-') < line + 17)
			here = start == (unsigned long)at;
		else if (here && sscanf(line, "Rss: %lu", &kb) == 1)
			say("%s: resident %lu kB\n", what, kb);
		else if (here && sscanf(line, "Locked: %lu", &kb) == 1)
			say("%s: locked %lu kB\n", what, kb);
	}
	fclose(f);
}

static char *area(size_t pages)
{
	/* a page that nothing may use on either side: areas do not join */
	char *p = mmap(NULL, (pages + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(p != MAP_FAILED);
	NEED(mprotect(p + PAGE, pages * PAGE, PROT_READ | PROT_WRITE) == 0);
	NEED(madvise(p + PAGE, pages * PAGE, MADV_NOHUGEPAGE) == 0);
	return p + PAGE;
}

int main(void)
{
	char *none = area(64), *locked = area(16), *all = area(8);

	NEED(mlock(locked, 16 * PAGE) == 0);
	memset(all, 1, 8 * PAGE);
	show("untouched", none);
	show("locked", locked);
	show("written", all);
	NEED(madvise(all, 8 * PAGE, MADV_DONTNEED) == 0);
	show("given back", all);
	return 0;
}
