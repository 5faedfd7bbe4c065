/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/self/maps tells the truth about one's own mappings. */
#include "tests/guest/guest.h"

#define PA (MAP_PRIVATE | MAP_ANONYMOUS)
static char *area;
static void picture(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512], perms[5];
	unsigned long from, to, offset;

	NEED(f != NULL);
	while (fgets(line, sizeof(line), f)) {
		NEED(sscanf(line, "%lx-%lx %4s %lx", &from, &to, perms, &offset) == 4);
		if (to > (uintptr_t)area && from < (uintptr_t)area + 16 * PAGE)
			say("  %2lu-%2lu %s %lx%s\n", (from - (uintptr_t)area) / PAGE,
				(to - (uintptr_t)area) / PAGE, perms,
				strstr(line, "/file") ? offset : 0,
				strstr(line, "/file") ? " file" : "");
	}
	fclose(f);
}
int main(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);

	/* Neighbours of another kind, so that nothing is merged with what lies beside. */
	area = mmap(NULL, 18 * PAGE, PROT_NONE, PA, -1, 0);
	NEED(area != MAP_FAILED && ftruncate(fd, 4 * (off_t)PAGE) == 0);
	NEED(munmap(area, PAGE) == 0 && munmap(area + 17 * PAGE, PAGE) == 0);
	area += PAGE;
	picture();
	SHOW(mprotect(area + 4 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE));
	picture();
	SHOW(mprotect(area + 6 * PAGE, PAGE, PROT_READ | PROT_EXEC));
	NEED(mmap(area, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, (off_t)PAGE) == area);
	NEED(mmap(area + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
		area + 2 * PAGE);
	picture();
	SHOW(munmap(area + 8 * PAGE, 4 * PAGE));
	SHOW(mprotect(area + 6 * PAGE, PAGE, PROT_READ | PROT_WRITE));
	picture();
	return 0;
}
