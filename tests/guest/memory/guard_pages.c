/* SPDX-License-Identifier: Apache-2.0 */
/* Guard pages before and after memory fault at the first byte, and only there. */
#include "tests/guest/guest.h"

#define RW (PROT_READ | PROT_WRITE)
static sigjmp_buf back;
static char *at;
static void on_fault(int signo, siginfo_t *info, void *context)
{
	at = info->si_addr;
	siglongjmp(back, 1);
}
static char *first_fault(char *from, long step)
{
	static volatile char *p;

	p = from;
	if (sigsetjmp(back, 1) == 0) {
		for (;; p += step)
			*p = 1;
	}
	return at;
}
int main(void)
{
	char *p = mmap(
		NULL, 10 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	on_signal(SIGSEGV, on_fault, 0);
	NEED(p != MAP_FAILED && mprotect(p + PAGE, 8 * PAGE, RW) == 0);
	ASK(first_fault(p + 4 * PAGE, 1) == p + 9 * PAGE);
	ASK(first_fault(p + 4 * PAGE, -1) == p + PAGE - 1);
	ASK(memset(p + PAGE, 2, 8 * PAGE) == p + PAGE);
	SHOW(mprotect(p + 5 * PAGE, PAGE, PROT_NONE));
	ASK(first_fault(p + PAGE, 1) == p + 5 * PAGE);
	ASK(first_fault(p + 9 * PAGE - 1, -1) == p + 6 * PAGE - 1);
	SHOW(mprotect(p + 9 * PAGE, PAGE, RW));
	ASK(first_fault(p + 6 * PAGE, 64) == p + 10 * PAGE ||
		first_fault(p + 6 * PAGE, 64) > p + 10 * PAGE);
	SHOW(mprotect(p + 5 * PAGE, PAGE, RW));
	ASK(p[5 * PAGE] == 1 || p[5 * PAGE] == 2);
	return 0;
}
