/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of splits and merges of one mapping, each page's protection checked at the end through read(2): EFAULT or not. */
#include "tests/guest/guest.h"

#define PAGES 4000ul

int main(void)
{
	char *p = mmap(
		NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int zero = open("/dev/zero", O_RDONLY);
	unsigned writable = 0, refused = 0;

	NEED(p != MAP_FAILED && zero >= 0);
	for (unsigned long i = 0; i < PAGES; i += 2)
		NEED(mprotect(p + i * PAGE, PAGE, PROT_READ) == 0);
	for (unsigned long i = 0; i < PAGES; i++) {
		if (read(zero, p + i * PAGE, 1) == 1)
			writable++;
		else
			refused += errno == EFAULT;
	}
	say("%u writable, %u refused\n", writable, refused);
	for (unsigned long i = 0; i < PAGES; i += 4)
		NEED(mprotect(p + i * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
	for (unsigned long i = 3; i < PAGES; i += 4)
		NEED(munmap(p + i * PAGE, PAGE) == 0);
	writable = refused = 0;
	for (unsigned long i = 0; i < PAGES; i++) {
		if (read(zero, p + i * PAGE, 1) == 1)
			writable++;
		else
			refused += errno == EFAULT;
	}
	say("%u writable, %u refused\n", writable, refused);
	SHOW(munmap(p, PAGES * PAGE));
	SHOW(read(zero, p, 1));
	return 0;
}
