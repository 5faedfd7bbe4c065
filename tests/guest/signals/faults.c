/* SPDX-License-Identifier: Apache-2.0 */
/* Signals of the processor: code, address, recovery by siglongjmp, a thousand times each. */
#include "tests/guest/guest.h"

#include <ucontext.h>

static sigjmp_buf back;
static volatile int code;
static volatile uintptr_t address, rip;

static void fault(int signo, siginfo_t *info, void *context)
{
	code = info->si_code;
	address = (uintptr_t)info->si_addr;
	rip = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	siglongjmp(back, signo);
}

static void divide(void)
{
	__asm__ volatile("xor %%edx, %%edx\n\tmov $1, %%eax\n\txor %%ecx, %%ecx\n\tdiv %%ecx" ::
				 : "eax", "ecx", "edx");
}

static void undefined(void)
{
	__asm__ volatile("ud2");
}

static void breakpoint(void)
{
	__asm__ volatile("int3");
}

static void privileged(void)
{
	__asm__ volatile("hlt");
}

static void port(void)
{
	__asm__ volatile("outb %%al, $0x80" ::: "memory");
}

static void non_canonical(void)
{
	__asm__ volatile("mov (%0), %%al" ::"r"(0x8000000000000000ul) : "eax");
}

static void try(const char *name, void (*fn)(void))
{
	volatile int times = 0;
	int signo;

	while (times < 1000) {
		signo = sigsetjmp(back, 1);
		if (!signo)
			fn();
		else if (times++ == 0)
			say("%s: signal %d code %d, address %s\n", name, signo, code,
				address == 0             ? "none"
					: address == rip ? "of the instruction"
							 : "another");
	}
}

int main(void)
{
	on_signal(SIGFPE, fault, 0);
	on_signal(SIGILL, fault, 0);
	on_signal(SIGTRAP, fault, 0);
	on_signal(SIGSEGV, fault, 0);
	try("division by zero", divide);
	try("undefined instruction", undefined);
	try("breakpoint", breakpoint);
	try("privileged instruction", privileged);
	try("port", port);
	try("non-canonical address", non_canonical);
	return 0;
}
