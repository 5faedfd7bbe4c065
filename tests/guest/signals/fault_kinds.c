/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of the processor: number, code, and that the address is the instruction's. */
#include "tests/guest/guest.h"

static sigjmp_buf back;
static siginfo_t got;
static void handler(int signo, siginfo_t *info, void *context)
{
	got = *info;
	siglongjmp(back, 1);
}
#define TRY(what, ...)                                                                             \
	if (sigsetjmp(back, 1) == 0) {                                                             \
		__VA_ARGS__;                                                                       \
		say("%s: no fault\n", what);                                                       \
	} else {                                                                                   \
		say("%s: signal %d code %d address %s\n", what, got.si_signo, got.si_code,         \
			got.si_addr ? "set" : "0");                                                \
	}
int main(void)
{
	int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
	uint32_t unmasked = 0x1f80 & ~0x200u, normal = 0x1f80;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		on_signal(signals[i], handler, 0);
	TRY("ud2", __asm__ volatile("ud2"));
	TRY("int3", __asm__ volatile("int3"));
	TRY("division by zero",
		__asm__ volatile("xor %%edx, %%edx\n xor %%ecx, %%ecx\n mov $1, %%eax\n div %%ecx"
				 :
				 :
				 : "eax", "ecx", "edx", "cc"));
	TRY("division overflow",
		__asm__ volatile("mov $1, %%edx\n mov $1, %%ecx\n xor %%eax, %%eax\n div %%ecx"
				 :
				 :
				 : "eax", "ecx", "edx", "cc"));
	TRY("SSE division",
		__asm__ volatile("ldmxcsr %0\n xorps %%xmm0, %%xmm0\n movss %1, %%xmm1\n divss "
				 "%%xmm0, %%xmm1\n ldmxcsr %2"
				 :
				 : "m"(unmasked), "m"(normal), "m"(normal)
				 : "xmm0", "xmm1"));
	__asm__ volatile("ldmxcsr %0" : : "m"(normal));
	TRY("hlt", __asm__ volatile("hlt"));
	TRY("unaligned SSE",
		__asm__ volatile("movaps (%0), %%xmm0"
				 :
				 : "r"((char *)&got + 1)
				 : "xmm0"));
	TRY("mov to cr0", __asm__ volatile("mov %0, %%cr0" : : "r"(0ul)));
	TRY("bad selector", __asm__ volatile("mov %0, %%fs" : : "r"(0x1233)));
	return 0;
}
