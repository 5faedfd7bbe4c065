/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is not there: an error or the end of what was promised, never a crash of the
 * machine.
 */
#include "tests/guest/guest.h"

#include <sys/sysinfo.h>

int main(void)
{
	struct sysinfo info;
	size_t half;
	char *p;

	SHOW(sysinfo(&info));
	half = info.freeram * info.mem_unit / 8 & -PAGE;
	p = mmap(NULL, half, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p != MAP_FAILED);
	for (size_t i = 0; i < half && i < 64ul << 20; i += PAGE)
		p[i] = 1;
	SHOW(munmap(p, half));
	/* Again: it came back. */
	for (int round = 0; round < 16; round++) {
		p = mmap(NULL, half, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		NEED(p != MAP_FAILED);
		for (size_t i = 0; i < half && i < 16ul << 20; i += PAGE)
			p[i] = 1;
		NEED(munmap(p, half) == 0);
	}
	say("ok\n");
	return 0;
}
