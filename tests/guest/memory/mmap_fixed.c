/* SPDX-License-Identifier: Apache-2.0 */
/* Placement: MAP_FIXED over old mappings (as ld.so does), MAP_FIXED_NOREPLACE, hints, holes in the middle. */
#include "tests/guest/guest.h"

#define RW (PROT_READ | PROT_WRITE)
#define PA (MAP_PRIVATE | MAP_ANONYMOUS)

static sigjmp_buf back;

static void fault(int signo, siginfo_t *info, void *context)
{
	siglongjmp(back, 1);
}

static bool readable(volatile char *p)
{
	if (sigsetjmp(back, 1))
		return false;
	(void)*p;
	return true;
}

int main(void)
{
	char *p = mmap(NULL, 8 * PAGE, RW, PA, -1, 0);
	char *hint, *q;

	on_signal(SIGSEGV, fault, 0);
	NEED(p != MAP_FAILED);
	memset(p, 1, 8 * PAGE);
	ASK(mmap(p + 2 * PAGE, 2 * PAGE, RW, PA | MAP_FIXED, -1, 0) == p + 2 * PAGE);
	ASK(all_bytes(p, 2 * PAGE, 1));
	ASK(all_bytes(p + 2 * PAGE, 2 * PAGE, 0));
	ASK(all_bytes(p + 4 * PAGE, 4 * PAGE, 1));
	SHOW_OK(mmap(p + PAGE, PAGE, RW, PA | MAP_FIXED_NOREPLACE, -1, 0));
	ASK(all_bytes(p + PAGE, PAGE, 1));
	SHOW(munmap(p + 3 * PAGE, 2 * PAGE));
	ASK(readable(p + 3 * PAGE - 1));
	ASK(readable(p + 3 * PAGE));
	ASK(readable(p + 4 * PAGE));
	ASK(readable(p + 5 * PAGE));
	ASK(mmap(p + 3 * PAGE, PAGE, RW, PA | MAP_FIXED_NOREPLACE, -1, 0) == p + 3 * PAGE);
	ASK(p[3 * PAGE] == 0);
	SHOW(munmap(p, 8 * PAGE));
	/* A free hint is honoured, a taken one is only a hint. */
	hint = p;
	q = mmap(hint, PAGE, RW, PA, -1, 0);
	ASK(q == hint);
	q = mmap(hint, PAGE, RW, PA, -1, 0);
	ASK(q != hint && q != MAP_FAILED);
	q = mmap((void *)0x3f85e3940000, 128 * PAGE, PROT_NONE, PA | MAP_NORESERVE, -1, 0);
	ASK(q == (void *)0x3f85e3940000);
	return 0;
}
