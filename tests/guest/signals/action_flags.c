/* SPDX-License-Identifier: Apache-2.0 */
/* sigaction: SA_RESETHAND, SA_NODEFER, masks during a handler, what is read back. */
#include "tests/guest/guest.h"

static volatile int depth, deepest, calls, blocked;

static void handler(int signo)
{
	sigset_t now;

	calls++;
	sigprocmask(SIG_SETMASK, NULL, &now);
	blocked = sigismember(&now, signo) * 10 + sigismember(&now, SIGUSR2);
	if (++depth > deepest)
		deepest = depth;
	if (calls == 1)
		raise(signo);
	depth--;
}
static void with(const char *name, int flags, int mask)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = flags}, old;

	sigemptyset(&sa.sa_mask);
	if (mask)
		sigaddset(&sa.sa_mask, mask);
	depth = deepest = calls = 0;
	NEED(sigaction(SIGUSR1, &sa, NULL) == 0 && raise(SIGUSR1) == 0);
	NEED(sigaction(SIGUSR1, NULL, &old) == 0);
	say("%s: calls %d deepest %d blocked %02d, then default %d, flags %#x\n", name, calls,
		deepest, blocked, old.sa_handler == SIG_DFL, (unsigned)old.sa_flags & ~0x04000000u);
}
int main(void)
{
	with("plain", 0, 0);
	with("mask", 0, SIGUSR2);
	with("nodefer", SA_NODEFER, 0);
	with("nodefer mask", SA_NODEFER, SIGUSR1);
	with("restart onstack", SA_RESTART | SA_ONSTACK, SIGKILL);
	with("resethand", SA_RESETHAND | SA_NODEFER, 0); /* the second raise ends it */
	return 0;
}
