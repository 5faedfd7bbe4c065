/* SPDX-License-Identifier: Apache-2.0 */
/* sigaltstack: what is read back, in use, too small, disabled; flags. */
#include "tests/guest/guest.h"

static char space[65536];

static void handler(int signo, siginfo_t *info, void *context)
{
	stack_t now, other = {.ss_sp = space, .ss_size = sizeof(space)};
	char here;

	SHOW(sigaltstack(NULL, &now));
	say("on it %d, inside %d\n", now.ss_flags == SS_ONSTACK,
		&here >= space && &here < space + sizeof(space));
	SHOW(sigaltstack(&other, NULL));
	other.ss_flags = SS_DISABLE;
	SHOW(sigaltstack(&other, NULL));
}
int main(void)
{
	stack_t s = {.ss_sp = space, .ss_size = sizeof(space)}, old;

	SHOW(sigaltstack(NULL, &old));
	say("%d %zu\n", old.ss_flags, old.ss_size);
	s.ss_size = 1000;
	SHOW(sigaltstack(&s, NULL));
	s.ss_size = 0;
	SHOW(sigaltstack(&s, NULL));
	s.ss_size = sizeof(space);
	s.ss_flags = 77;
	SHOW(sigaltstack(&s, NULL));
	s.ss_flags = SS_ONSTACK;
	SHOW(sigaltstack(&s, &old));
	SHOW(sigaltstack(NULL, &old));
	say("%d %zu\n", old.ss_flags, old.ss_size);
	on_signal(SIGUSR1, handler, SA_ONSTACK);
	SHOW(raise(SIGUSR1));
	s.ss_flags = SS_DISABLE;
	s.ss_size = 5;
	SHOW(sigaltstack(&s, &old));
	say("%d\n", old.ss_flags);
	SHOW(sigaltstack(NULL, &old));
	say("%d\n", old.ss_flags);
	RAW(sigaltstack, BAD_PTR, NULL);
	RAW(sigaltstack, NULL, BAD_PTR);
	return 0;
}
