/* SPDX-License-Identifier: Apache-2.0 */
/* Leaving handlers with siglongjmp, a thousand times; the mask comes back with savesigs only. */
#include "tests/guest/guest.h"

static sigjmp_buf back;
static void handler(int signo, siginfo_t *info, void *context)
{
	siglongjmp(back, 1);
}
int main(void)
{
	volatile int count = 0;
	sigset_t set;

	on_signal(SIGUSR1, handler, 0);
	for (volatile int i = 0; i < 1000; i++) {
		if (sigsetjmp(back, 1) == 0)
			raise(SIGUSR1);
		else
			count++;
	}
	say("%d\n", count);
	if (sigsetjmp(back, 0) == 0)
		raise(SIGUSR1);
	NEED(sigprocmask(SIG_SETMASK, NULL, &set) == 0);
	say("blocked %d\n", sigismember(&set, SIGUSR1));
	return 0;
}
