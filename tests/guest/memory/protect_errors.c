/* SPDX-License-Identifier: Apache-2.0 */
/* mprotect, munmap, mmap: lengths of 0 and beyond the end, holes, misaligned, all kinds of protection. */
#include "tests/guest/guest.h"

int main(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int ro = open("/bin/memory/protect_errors", O_RDONLY),
	    fd = open("f", O_CREAT | O_RDWR, 0600), rd = open("f", O_RDONLY);

	NEED(p != MAP_FAILED && fd >= 0 && ftruncate(fd, PAGE) == 0 && (ro >= 0 || ro < 0));
	SHOW(mprotect(p, 0, PROT_READ));
	SHOW(mprotect(p + 1, PAGE, PROT_READ));
	SHOW(mprotect(p, 1, PROT_READ));
	SHOW(mprotect(p, (size_t)-1, PROT_READ));
	SHOW(mprotect(p, PAGE, 0x80));
	SHOW(mprotect(BAD_KERNEL, PAGE, PROT_READ));
	SHOW(munmap(p + 2 * PAGE, PAGE));
	SHOW(mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE));
	SHOW(mprotect(p + 2 * PAGE, PAGE, PROT_READ));
	SHOW(munmap(p, 0));
	SHOW(munmap(p + 5, PAGE));
	SHOW(munmap(p, (size_t)-1));
	SHOW(munmap(p + 2 * PAGE, PAGE));
	SHOW(munmap(BAD_KERNEL, PAGE));
	SHOW(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED);
	SHOW(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, rd, 0) == MAP_FAILED);
	SHOW_ERR(errno);
	SHOW(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, rd, 0) == MAP_FAILED);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, rd, 0);
	SHOW(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	SHOW(mremap(p, PAGE, 0, 0) == MAP_FAILED);
	SHOW(mremap(p, PAGE, PAGE, 8) == MAP_FAILED);
	SHOW(mremap(p + 1, PAGE, PAGE, 0) == MAP_FAILED);
	SHOW(madvise(p + 1, PAGE, MADV_NORMAL));
	SHOW(madvise(p, PAGE, 9999));
	SHOW(madvise(p, 0, MADV_NORMAL));
	return 0;
}
