/* SPDX-License-Identifier: Apache-2.0 */
/* sigaltstack: sizes, flags, states. */
#include "tests/guest/guest.h"

static stack_t inside;
static int during;
static void handler(int signo, siginfo_t *info, void *context)
{
	stack_t other = {.ss_sp = (char *)BAD_TOP - 65536, .ss_size = 65536};

	sigaltstack(NULL, &inside);
	during = sigaltstack(&other, NULL) ? errno : 0;
}
int main(void)
{
	static char memory[65536];
	stack_t st = {.ss_sp = memory, .ss_size = sizeof(memory)}, old;

	SHOW(sigaltstack(NULL, &old));
	say("flags %d\n", old.ss_flags);
	st.ss_size = 1024;
	SHOW(sigaltstack(&st, NULL));
	st.ss_size = sizeof(memory);
	st.ss_flags = 0x100;
	SHOW(sigaltstack(&st, NULL));
	st.ss_flags = SS_DISABLE | SS_ONSTACK;
	SHOW(sigaltstack(&st, NULL));
	st.ss_flags = SS_ONSTACK;
	SHOW(sigaltstack(&st, NULL));
	st.ss_flags = 0;
	SHOW(sigaltstack(&st, &old));
	SHOW(sigaltstack(NULL, &old));
	ASK(old.ss_sp == memory && old.ss_size == sizeof(memory) && old.ss_flags == 0);
	on_signal(SIGUSR1, handler, SA_ONSTACK);
	SHOW(raise(SIGUSR1));
	say("inside: flags %d, change %s\n", inside.ss_flags, errname(during));
	on_signal(SIGUSR1, handler,
		0); /* not on it: it may be changed, but this one is not good later */
	st.ss_flags = SS_DISABLE;
	SHOW(sigaltstack(&st, NULL));
	SHOW(sigaltstack(NULL, &old));
	say("flags %d\n", old.ss_flags);
	RAW(sigaltstack, BAD_PTR, NULL);
	RAW(sigaltstack, NULL, BAD_PTR);
	RAW(sigaltstack, NULL, NULL);
	return 0;
}
