/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MADV_DONTNEED gives zeros on anonymous memory, the file's bytes on files, nothing on shared
 * memory.
 */
#include "tests/guest/guest.h"

#define RW (PROT_READ | PROT_WRITE)
int main(void)
{
	char *a = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *s = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *f, *g;
	int fd = open("file", O_RDWR | O_CREAT, 0600);

	NEED(a != MAP_FAILED && s != MAP_FAILED && write(fd, "the file", 8) == 8);
	f = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	g = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	NEED(f != MAP_FAILED && g != MAP_FAILED);
	memset(a, 1, 3 * PAGE);
	SHOW(madvise(a + PAGE, PAGE, MADV_DONTNEED));
	ASK(all_bytes(a, PAGE, 1) && all_bytes(a + PAGE, PAGE, 0) &&
		all_bytes(a + 2 * PAGE, PAGE, 1));
	SHOW(mprotect(a, PAGE, PROT_READ));
	SHOW(madvise(a, PAGE, MADV_DONTNEED));
	ASK(all_bytes(a, PAGE, 0));
	strcpy(s, "shared");
	SHOW(madvise(s, PAGE, MADV_DONTNEED));
	say("%s\n", s);
	strcpy(f, "changed");
	say("%s\n", f);
	SHOW(madvise(f, PAGE, MADV_DONTNEED));
	say("%s\n", f);
	strcpy(g, "written");
	SHOW(madvise(g, PAGE, MADV_DONTNEED));
	say("%s %s\n", f, g);
	SHOW(madvise(s, PAGE, MADV_REMOVE)); /* a hole in the shared memory */
	ASK(all_bytes(s, PAGE, 0));
	SHOW(madvise(a, PAGE, MADV_FREE));
	SHOW(madvise(s, PAGE, MADV_FREE));
	return 0;
}
