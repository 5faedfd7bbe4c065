/* SPDX-License-Identifier: Apache-2.0 */
/* mremap of shared memory, of files, of parts; MREMAP_DONTUNMAP; length 0. */
#include "tests/guest/guest.h"

#define RW (PROT_READ | PROT_WRITE)
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
int main(void)
{
	char *s = mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *t, *f, *p;
	int fd = open("file", O_RDWR | O_CREAT, 0600);

	NEED(s != MAP_FAILED && fd >= 0 && ftruncate(fd, 3 * (off_t)PAGE) == 0);
	strcpy(s, "shared");
	t = mremap(s, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
	NEED(t != MAP_FAILED);
	say("%s\n", t);
	f = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	NEED(f != MAP_FAILED && pwrite(fd, "third page", 10, 2 * (off_t)PAGE) == 10);
	f = mremap(f, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	NEED(f != MAP_FAILED);
	say("%s\n", f + 2 * PAGE);
	p = mremap(f + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE); /* out of the middle */
	NEED(p != MAP_FAILED);
	say("%s\n", p + PAGE);
	SHOW(mprotect(f + PAGE, PAGE, PROT_READ));
	SHOW(mprotect(f + 2 * PAGE, PAGE, PROT_READ));
	p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(p, "moved");
	t = (char *)syscall(
		SYS_mremap, p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	NEED(t != MAP_FAILED);
	ASK(t != p && strcmp(t, "moved") == 0);
	ASK(all_bytes(p, 2 * PAGE, 0));
	SHOW_OK(mremap(p, 2 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0));
	SHOW_OK(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_DONTUNMAP, 0));
	SHOW_OK(mremap(p, 0, PAGE, MREMAP_MAYMOVE));
	SHOW_OK(mremap(p, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, p + 1));
	SHOW_OK(mremap(p, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, BAD_KERNEL));
	SHOW_OK(mremap(p, PAGE, 1ul << 60, MREMAP_MAYMOVE));
	SHOW_OK(mremap(BAD_KERNEL, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	return 0;
}
