/* SPDX-License-Identifier: Apache-2.0 */
/* SS_AUTODISARM: the alternative stack is free again inside of the handler. */
#include "tests/guest/guest.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif
static stack_t inside;
static int nested;
static char memory[65536], second[65536];
static void inner(int signo, siginfo_t *info, void *context)
{
	char here;

	nested = &here >= second && &here < second + sizeof(second);
}
static void handler(int signo, siginfo_t *info, void *context)
{
	stack_t st = {.ss_sp = second, .ss_size = sizeof(second)};

	sigaltstack(NULL, &inside);
	NEED(sigaltstack(&st, NULL) == 0 && raise(SIGUSR2) == 0);
}
int main(void)
{
	stack_t st = {.ss_sp = memory, .ss_size = sizeof(memory), .ss_flags = (int)SS_AUTODISARM},
		old;

	SHOW(sigaltstack(&st, NULL));
	on_signal(SIGUSR1, handler, SA_ONSTACK);
	on_signal(SIGUSR2, inner, SA_ONSTACK);
	SHOW(raise(SIGUSR1));
	ASK(inside.ss_flags == SS_DISABLE);
	ASK(nested);
	SHOW(sigaltstack(NULL, &old));
	ASK(old.ss_sp == memory && (unsigned)old.ss_flags == SS_AUTODISARM);
	return 0;
}
