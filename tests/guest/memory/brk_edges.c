/* SPDX-License-Identifier: Apache-2.0 */
/* The break: growth, shrinking, zeros afterwards, and the old value where it cannot move. */
#include "tests/guest/guest.h"

static char *brk_at(const void *p)
{
	return (char *)syscall(SYS_brk, p);
}
static sigjmp_buf back;
static void on_fault(int signo, siginfo_t *info, void *context)
{
	siglongjmp(back, 1);
}
int main(void)
{
	char *start = brk_at(NULL), *edge;

	on_signal(SIGSEGV, on_fault, 0);
	ASK(start == brk_at(NULL));
	ASK(brk_at(start + 5) == start + 5);
	ASK(brk_at(start + 10 * PAGE) == start + 10 * PAGE);
	memset(start, 1, 10 * PAGE);
	ASK(brk_at(start + PAGE) == start + PAGE);
	ASK(brk_at(start + 4 * PAGE) == start + 4 * PAGE);
	edge = (char *)(((uintptr_t)start + PAGE + PAGE - 1) & -PAGE);
	ASK(all_bytes(edge, (size_t)(start + 4 * PAGE - edge), 0));
	ASK(brk_at(BAD_PTR) == start + 4 * PAGE);
	ASK(brk_at(BAD_KERNEL) == start + 4 * PAGE);
	ASK(brk_at(start) == start);
	edge = (char *)(((uintptr_t)start + PAGE - 1) & -PAGE);
	if (sigsetjmp(back, 1) == 0) {
		*(volatile char *)(edge + PAGE) = 1;
		say("no fault\n");
	} else {
		say("a fault behind the break\n");
	}
	/* A mapping in the way */
	NEED(mmap(edge + 4 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		     0) == edge + 4 * PAGE);
	ASK(brk_at(edge + 3 * PAGE) == edge + 3 * PAGE);
	ASK(brk_at(edge + 5 * PAGE) == edge + 3 * PAGE);
	return 0;
}
