/* SPDX-License-Identifier: Apache-2.0 */
/* The first stack grows to megabytes on its own, and running off its end is a SIGSEGV that an alternate stack can handle. */
#include "tests/guest/guest.h"

#include <sys/resource.h>

static sigjmp_buf back;

static void fault(int signo, siginfo_t *info, void *context)
{
	siglongjmp(back, 1);
}

static __attribute__((noinline)) unsigned deep(unsigned levels)
{
	volatile char room[8192];

	room[0] = (char)levels;
	room[sizeof(room) - 1] = (char)levels;
	return levels ? deep(levels - 1) + (unsigned)(room[0] == room[sizeof(room) - 1]) : 0;
}

static __attribute__((noinline)) unsigned endless(unsigned levels)
{
	volatile char room[1024];

	room[0] = (char)levels;
	return levels + 1 == 0 ? 0 : endless(levels + 1) + (unsigned)room[0];
}

int main(void)
{
	static char alternate[65536];
	stack_t ss = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	struct rlimit limit;

	SHOW(getrlimit(RLIMIT_STACK, &limit));
	ASK(limit.rlim_cur >= 8ul << 20);
	ASK(deep(700) == 700);
	ASK(deep(700) == 700);
	NEED(sigaltstack(&ss, NULL) == 0);
	on_signal(SIGSEGV, fault, SA_ONSTACK);
	for (int i = 0; i < 3; i++) {
		if (!sigsetjmp(back, 1))
			say("%u\n", endless(0));
		else
			say("overflow handled\n");
	}
	return 0;
}
