/* SPDX-License-Identifier: Apache-2.0 */
/* What a handler finds: alignment of its stack, the red zone untouched, direction flag clear. */
#include "tests/guest/guest.h"

static volatile int aligned, direction;
static void handler(int signo, siginfo_t *info, void *context)
{
	unsigned long sp, flags;

	__asm__ volatile("mov %%rsp, %0\n pushf\n pop %1" : "=r"(sp), "=r"(flags));
	aligned = ((uintptr_t)__builtin_frame_address(0) & 15) == 0;
	direction = flags >> 10 & 1;
}
int main(void)
{
	unsigned long zone[4] = {0};
	long nr = SYS_kill, pid = getpid(), signo = SIGUSR1;

	on_signal(SIGUSR1, handler, 0);
	/* Values below the stack pointer survive the handler. */
	__asm__ volatile(
		"movq $0x1111, -8(%%rsp)\n movq $0x2222, -64(%%rsp)\n movq $0x3333, -128(%%rsp)\n"
		"std\n syscall\n cld\n"
		"mov -8(%%rsp), %%rcx\n mov %%rcx, (%3)\n mov -64(%%rsp), %%rcx\n mov %%rcx, "
		"8(%3)\n mov -128(%%rsp), %%rcx\n mov %%rcx, 16(%3)"
		: "+a"(nr)
		: "D"(pid), "S"(signo), "b"(zone)
		: "rcx", "r11", "memory", "cc");
	say("%lx %lx %lx\n", zone[0], zone[1], zone[2]);
	say("aligned %d, direction %d\n", aligned, direction);
	return 0;
}
