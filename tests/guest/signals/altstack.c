/* SPDX-License-Identifier: Apache-2.0 */
/* sigaltstack: handlers on a stack of their own. */
#include "tests/guest/guest.h"

static char stack[65536];

static void where(int signo, siginfo_t *info, void *context)
{
	stack_t now;
	char local;

	say("  %s the alternate stack\n",
		&local >= stack && &local < stack + sizeof(stack) ? "on" : "not on");
	SHOW(sigaltstack(NULL, &now));
	say("  flags %d\n", now.ss_flags);
	now = (stack_t){.ss_sp = stack, .ss_size = sizeof(stack)};
	if (&local >= stack && &local < stack + sizeof(stack))
		SHOW(sigaltstack(&now, NULL));
}

int main(void)
{
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)}, old;

	SHOW(sigaltstack(NULL, &old));
	SHOW(old.ss_flags);
	SHOW(sigaltstack(&ss, NULL));
	SHOW(sigaltstack(NULL, &old));
	ASK(old.ss_sp == stack && old.ss_size == sizeof(stack) && old.ss_flags == 0);
	on_signal(SIGUSR1, where, 0);
	raise(SIGUSR1);
	on_signal(SIGUSR1, where, SA_ONSTACK);
	raise(SIGUSR1);
	ss.ss_size = 100;
	SHOW(sigaltstack(&ss, NULL));
	ss.ss_flags = 1234;
	ss.ss_size = sizeof(stack);
	SHOW(sigaltstack(&ss, NULL));
	ss.ss_flags = SS_DISABLE;
	SHOW(sigaltstack(&ss, NULL));
	raise(SIGUSR1);
	return 0;
}
