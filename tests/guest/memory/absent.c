/* SPDX-License-Identifier: Apache-2.0 */
/* What a Linux without huge pages and without KSM answers. */
#include "tests/guest/guest.h"

int main(void)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	RAW(memfd_create, "m", 4);
	RAW(memfd_create, "m", 4 | 21u << 26);
	RAW(memfd_create, "m", 21u << 26);
	RAW(memfd_create, BAD_PTR, 4);
	RAW(madvise, p, PAGE, 12);
	RAW(madvise, p, PAGE, 13);
	RAW(iopl, 4);
	RAW(iopl, 3);
	RAW(iopl, 0);
	RAW(ioperm, 65535, 2, 1);
	RAW(ioperm, 0, 0, 1);
	RAW(ioperm, 0x80, 1, 1);
	RAW(ioperm, 0x80, 1, 0);
	return 0;
}
