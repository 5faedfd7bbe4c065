/* SPDX-License-Identifier: Apache-2.0 */
/* Protection of parts of a mapping, seen by the faults that it causes: code, address, and what the handler may repair. */
#include "tests/guest/guest.h"

#define RW (PROT_READ | PROT_WRITE)

static sigjmp_buf back;
static char *base;
static volatile int faults;

static void report(int signo, siginfo_t *info, void *context)
{
	say("  SIGSEGV %s at page %ld + %ld\n",
		info->si_code == SEGV_ACCERR ? "SEGV_ACCERR" : "SEGV_MAPERR",
		((char *)info->si_addr - base) / (long)PAGE,
		((char *)info->si_addr - base) % (long)PAGE);
	siglongjmp(back, 1);
}

static void repair(int signo, siginfo_t *info, void *context)
{
	faults++;
	NEED(mprotect((void *)((uintptr_t)info->si_addr & ~(PAGE - 1)), PAGE, RW) == 0);
}

static void touch(const char *what, volatile char *p, bool write)
{
	say("%s\n", what);
	if (sigsetjmp(back, 1))
		return;
	if (write)
		*p = 1;
	else
		(void)*p;
	say("  allowed\n");
}

int main(void)
{
	base = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(base != MAP_FAILED);
	memset(base, 7, 8 * PAGE);
	on_signal(SIGSEGV, report, 0);
	SHOW(mprotect(base + PAGE, PAGE, PROT_READ));
	touch("read page 1", base + PAGE + 5, false);
	touch("write page 1", base + PAGE + 5, true);
	SHOW(mprotect(base + 2 * PAGE, PAGE, PROT_NONE));
	touch("read page 2", base + 3 * PAGE - 1, false);
	touch("write page 3", base + 3 * PAGE, true);
	SHOW(mprotect(base + PAGE, 2 * PAGE, RW));
	ASK(all_bytes(base + PAGE, 2 * PAGE, 7));
	SHOW(munmap(base + 5 * PAGE, PAGE));
	touch("read page 5", base + 5 * PAGE, false);
	SHOW(mprotect(base + 4 * PAGE, 3 * PAGE, PROT_READ));
	touch("write page 4", base + 4 * PAGE, true);
	touch("write page 6", base + 6 * PAGE, true);
	RAW(mprotect, base + 1, PAGE, RW);
	SHOW(mprotect(base, PAGE, 0x1000));
	SHOW(mprotect(base, 0, RW));
	RAW(mprotect, BAD_PTR, PAGE, RW);

	/* A page at a time is opened by the handler, and the instruction goes on. */
	on_signal(SIGSEGV, repair, 0);
	SHOW(mprotect(base, 5 * PAGE, PROT_NONE));
	memset(base, 9, 5 * PAGE);
	ASK(all_bytes(base, 5 * PAGE, 9));
	ASK(faults == 5);
	return 0;
}
