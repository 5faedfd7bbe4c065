/* SPDX-License-Identifier: Apache-2.0 */
/* mprotect of parts of mappings and over holes. */
#include "tests/guest/guest.h"

#define RW (PROT_READ | PROT_WRITE)
#define PA (MAP_PRIVATE | MAP_ANONYMOUS)
static sigjmp_buf back;
static void on_fault(int signo, siginfo_t *info, void *context)
{
	siglongjmp(back, info->si_code);
}
static char *area;
static void picture(void)
{
	char line[9] = "";
	volatile char *p;

	for (int i = 0; i < 8; i++) {
		p = area + (size_t)i * PAGE;
		line[i] = '-';
		if (sigsetjmp(back, 1) == 0) {
			(void)*p;
			line[i] = 'r';
			*p = 1;
			line[i] = 'w';
		}
	}
	say("%s\n", line);
}
int main(void)
{
	on_signal(SIGSEGV, on_fault, 0);
	area = mmap(NULL, 8 * PAGE, RW, PA, -1, 0);
	NEED(area != MAP_FAILED);
	picture();
	SHOW(mprotect(area + 2 * PAGE, 2 * PAGE, PROT_READ));
	picture();
	SHOW(mprotect(area + 3 * PAGE, 2 * PAGE, PROT_NONE));
	picture();
	SHOW(mprotect(area + 1, PAGE, PROT_READ));
	SHOW(mprotect(area, 0, PROT_NONE));
	SHOW(mprotect(area, 1, PROT_READ));
	picture();
	SHOW(mprotect(area, PAGE, 0x40));
	SHOW(mprotect(area, -PAGE, PROT_READ));
	SHOW(mprotect(area, PAGE, PROT_READ | PROT_GROWSDOWN));
	SHOW(mprotect(area, PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP));
	SHOW(mprotect(BAD_KERNEL, PAGE, PROT_READ));
	SHOW(mprotect(NULL, PAGE, PROT_READ));
	SHOW(munmap(area + 6 * PAGE, PAGE));
	SHOW(mprotect(area + 5 * PAGE, 3 * PAGE, PROT_READ)); /* up to the hole */
	picture();
	SHOW(mprotect(area, 5 * PAGE, RW));
	picture();
	ASK(area[2 * PAGE] == 1 && area[4 * PAGE] == 1 && area[5 * PAGE] == 1);
	return 0;
}
