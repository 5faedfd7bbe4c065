/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things are: code, heap, mappings, stack in their order, none near another. With an argument the addresses are printed, for
 * tests/guest/aslr-test.
 */
#include "tests/guest/guest.h"

#include <sys/auxv.h>

static int data;

int main(int argc, char **argv)
{
	uintptr_t code = (uintptr_t)&main, variable = (uintptr_t)&data, heap = (uintptr_t)sbrk(0);
	uintptr_t stack = (uintptr_t)&argc, vdso = getauxval(AT_SYSINFO_EHDR);
	uintptr_t area = (uintptr_t)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (argc > 1) {
		say("code %lx\nheap %lx\nmmap %lx\nstack %lx\nvdso %lx\n", code, heap, area, stack,
			vdso);
		return 0;
	}
	ASK(variable - code < 1ul << 30);
	ASK(heap > variable && heap - variable < 1ul << 34);
	ASK(area > heap && area < stack);
	ASK(stack - area > 1ul << 20);
	ASK(stack % 4 == 0 && heap % 16 == 0 && area % PAGE == 0 && vdso % PAGE == 0);
	ASK(stack < 1ul << 47 && vdso < 1ul << 47 && vdso > area);
	return 0;
}
