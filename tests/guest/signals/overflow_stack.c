/* SPDX-License-Identifier: Apache-2.0 */
/* A stack that overflows is told on the alternative stack, again and again. */
#include "tests/guest/guest.h"

static sigjmp_buf back;
static char memory[65536];
static int on_alt;
static void handler(int signo, siginfo_t *info, void *context)
{
	char here;

	on_alt += &here >= memory && &here < memory + sizeof(memory);
	siglongjmp(back, 1);
}
static __attribute__((noinline)) int deeper(int n)
{
	volatile char room[4096];

	room[0] = (char)n;
	return n < 0 ? 0 : deeper(n + 1) + room[0];
}
static void *run(void *arg)
{
	stack_t st = {.ss_sp = memory, .ss_size = sizeof(memory)};

	NEED(sigaltstack(&st, NULL) == 0);
	for (volatile int i = 0; i < 5; i++) {
		if (sigsetjmp(back, 1) == 0)
			deeper(0);
	}
	return NULL;
}
int main(void)
{
	on_signal(SIGSEGV, handler, SA_ONSTACK);
	pthread_join(start_thread(run, NULL), NULL);
	say("%d overflows\n", on_alt);
	return 0;
}
