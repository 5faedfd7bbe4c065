/* SPDX-License-Identifier: Apache-2.0 */
/* Code made at run time: it runs from an executable page, and not from one that is only readable and writable. */
#include "tests/guest/guest.h"

static sigjmp_buf back;

static void fault(int signo, siginfo_t *info, void *context)
{
	say("SIGSEGV %s\n", info->si_code == SEGV_ACCERR ? "SEGV_ACCERR" : "SEGV_MAPERR");
	siglongjmp(back, 1);
}

static void call(void *code)
{
	if (!sigsetjmp(back, 1))
		say("it answers %d\n", ((int (*)(void))code)());
}

int main(void)
{
	static const unsigned char answer_42[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
	unsigned char *p =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(p != MAP_FAILED);
	on_signal(SIGSEGV, fault, 0);
	memcpy(p, answer_42, sizeof(answer_42));
	call(p);
	SHOW(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	call(p);
	SHOW(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	p[1] = 43;
	call(p);
	SHOW(mprotect(p, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
	call(p);
	p[1] = 44;
	call(p);
	return 0;
}
