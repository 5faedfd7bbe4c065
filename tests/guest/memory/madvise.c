/* SPDX-License-Identifier: Apache-2.0 */
/* MADV_DONTNEED must really drop: zeros on anonymous memory, the file again on a private mapping of a file. */
#include "tests/guest/guest.h"

int main(void)
{
	char *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("advised", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *f;

	NEED(p != MAP_FAILED && write(fd, "from the file", 13) == 13);
	memset(p, 3, 16 * PAGE);
	SHOW(madvise(p + 4 * PAGE, 4 * PAGE, MADV_DONTNEED));
	ASK(all_bytes(p, 4 * PAGE, 3));
	ASK(all_bytes(p + 4 * PAGE, 4 * PAGE, 0));
	ASK(all_bytes(p + 8 * PAGE, 8 * PAGE, 3));
	memset(p + 4 * PAGE, 4, 4 * PAGE);
	ASK(all_bytes(p + 4 * PAGE, 4 * PAGE, 4));
	f = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	NEED(f != MAP_FAILED);
	memcpy(f, "changed", 7);
	SHOW(madvise(f, PAGE, MADV_DONTNEED));
	ASK(memcmp(f, "from the file", 13) == 0);
	SHOW(madvise(p, PAGE, MADV_FREE));
	SHOW(madvise(p, PAGE, MADV_WILLNEED));
	SHOW(madvise(p, PAGE, MADV_NORMAL));
	SHOW(madvise(p, PAGE, MADV_DONTFORK));
	SHOW(madvise(p, PAGE, 9999));
	SHOW(madvise(p + 1, PAGE, MADV_DONTNEED));
	SHOW(madvise(p, 0, MADV_DONTNEED));
	SHOW(munmap(p + PAGE, PAGE));
	SHOW(madvise(p, 3 * PAGE, MADV_DONTNEED));
	ASK(all_bytes(p + 2 * PAGE, PAGE, 0));
	return 0;
}
