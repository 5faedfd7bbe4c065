/* SPDX-License-Identifier: Apache-2.0 */
/* memfd_create and two views of one file, as garbage collectors map their heap. */
#include "tests/guest/guest.h"

int main(void)
{
	int fd = memfd_create("heap", MFD_CLOEXEC);
	char *a, *b, *area;
	struct stat st;

	ASK(fd >= 0);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(ftruncate(fd, 8 * PAGE));
	area = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	NEED(area != MAP_FAILED);
	a = mmap(area, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	b = mmap(area + 8 * PAGE, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	ASK(a == area && b == area + 8 * PAGE);
	for (int i = 0; i < 8; i++)
		a[(size_t)i * PAGE + 5] = (char)(i + 1);
	ASK(b[5] == 1 && b[7 * PAGE + 5] == 8);
	b[3 * PAGE] = 'b';
	ASK(a[3 * PAGE] == 'b');
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 3 * PAGE, PAGE));
	ASK(all_bytes(a + 3 * PAGE, PAGE, 0) && all_bytes(b + 3 * PAGE, PAGE, 0));
	SHOW(pwrite(fd, "file", 4, 0));
	ASK(memcmp(b, "file", 4) == 0);
	SHOW(munmap(a, 8 * PAGE));
	ASK(memcmp(b, "file", 4) == 0);
	SHOW(fstat(fd, &st));
	SHOW(st.st_size);
	SHOW(close(fd));
	ASK(b[7 * PAGE + 5] == 8);
	SHOW(memfd_create("x", 0x8000));
	return 0;
}
