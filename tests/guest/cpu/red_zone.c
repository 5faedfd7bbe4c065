/* SPDX-License-Identifier: Apache-2.0 */
/* The 128 bytes below the stack pointer belong to the program: page faults, system calls, signals and timers leave them alone. */
#include "tests/guest/guest.h"

#include <sys/time.h>
#include <ucontext.h>

/* Fills the red zone, does something, and counts the words of it that changed: no push and no call in between. */
#define RED_ZONE_FUNCTION(name, ...)                                                               \
	uint64_t name(uint64_t a, uint64_t b, uint64_t c);                                         \
	__asm__(".pushsection .text\n" #name ":\n"                                                 \
		"movabs $0x5a5a5a5a5a5a5a5a, %rax\n"                                               \
		".set off, 8\n.rept 16\nmov %rax, -off(%rsp)\n.set off, off + "                    \
		"8\n.endr\n" __VA_ARGS__ "\n"                                                      \
		"movabs $0x5a5a5a5a5a5a5a5a, %rcx\nxor %eax, %eax\n"                               \
		".set off, 8\n.rept 16\ncmp %rcx, -off(%rsp)\nsetne %dl\nmovzbl %dl, %edx\nadd "   \
		"%rdx, %rax\n"                                                                     \
		".set off, off + 8\n.endr\nret\n.popsection\n")

RED_ZONE_FUNCTION(with_store, "movb $1, (%rdi)");
RED_ZONE_FUNCTION(with_load, "movb (%rdi), %al");
RED_ZONE_FUNCTION(with_syscall, "mov %rdi, %rax\nmov %rsi, %rdi\nmov %rdx, %rsi\nsyscall");
RED_ZONE_FUNCTION(with_ud2, "ud2");
RED_ZONE_FUNCTION(with_spin, "1: pause\ncmpl $0, (%rdi)\nje 1b");

static volatile int ticks;

static void tick(int signo, siginfo_t *info, void *context)
{
	ticks = 1;
}

static void skip(int signo, siginfo_t *info, void *context)
{
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

int main(void)
{
	struct itimerval it = {.it_value = {0, 2000}};
	char *fresh =
		mmap(NULL, 256 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t bad = 0;
	struct timespec ms = {0, 1000000};

	NEED(fresh != MAP_FAILED);
	for (size_t i = 0; i < 256; i += 2) {
		bad += with_store((uint64_t)(fresh + i * PAGE), 0, 0);
		bad += with_load((uint64_t)(fresh + (i + 1) * PAGE), 0, 0);
	}
	say("page faults: %lu words changed\n", bad);
	bad = 0;
	for (int i = 0; i < 10; i++) {
		bad += with_syscall(SYS_getppid, 0, 0);
		bad += with_syscall(SYS_nanosleep, (uint64_t)&ms, 0);
		bad += with_syscall(SYS_sched_yield, 0, 0);
	}
	say("system calls: %lu words changed\n", bad);
	on_signal(SIGUSR1, tick, 0);
	bad = with_syscall(SYS_kill, (uint64_t)getpid(), SIGUSR1);
	say("signal at a system call: %lu words changed\n", bad);
	on_signal(SIGILL, skip, 0);
	bad = with_ud2(0, 0, 0);
	say("signal at an exception: %lu words changed\n", bad);
	on_signal(SIGALRM, tick, 0);
	bad = 0;
	for (int i = 0; i < 20; i++) {
		ticks = 0;
		NEED(setitimer(ITIMER_REAL, &it, NULL) == 0);
		bad += with_spin((uint64_t)&ticks, 0, 0);
	}
	say("signal in the middle: %lu words changed\n", bad);
	return 0;
}
