/* SPDX-License-Identifier: Apache-2.0 */
/* The processor is the judge: each instruction is run with an address that faults, and the guess has to name the same page. */
#include "tests/unit/libos/core/core.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "libos/arch/x86_64/operand.c"

static sigjmp_buf back;
static uint64_t fault, guess;
static bool seen;

static void on_segv(int signo, siginfo_t *info, void *context)
{
	const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
	struct regs r = {.rip = (uint64_t)g[REG_RIP],
		.rsp = (uint64_t)g[REG_RSP],
		.rax = (uint64_t)g[REG_RAX],
		.rbx = (uint64_t)g[REG_RBX],
		.rcx = (uint64_t)g[REG_RCX],
		.rdx = (uint64_t)g[REG_RDX],
		.rsi = (uint64_t)g[REG_RSI],
		.rdi = (uint64_t)g[REG_RDI],
		.rbp = (uint64_t)g[REG_RBP],
		.r8 = (uint64_t)g[REG_R8],
		.r9 = (uint64_t)g[REG_R9],
		.r10 = (uint64_t)g[REG_R10],
		.r11 = (uint64_t)g[REG_R11],
		.r12 = (uint64_t)g[REG_R12],
		.r13 = (uint64_t)g[REG_R13],
		.r14 = (uint64_t)g[REG_R14],
		.r15 = (uint64_t)g[REG_R15]};

	fault = (uint64_t)info->si_addr;
	guess = operand_address(
		&r, (const uint8_t *)r.rip, 15, g[REG_ERR] & 2, 0x700000000000ull, 0);
	seen = true;
	siglongjmp(back, 1);
}

/* Memory that faults, in the middle of a hole of 64 KiB. */
static uint8_t *hole;

#define TRY(text)                                                                                  \
	do {                                                                                       \
		catch_faults(); /* cmocka has its own handler around each test */                  \
		seen = false;                                                                      \
		if (!sigsetjmp(back, 1))                                                           \
			__asm__ volatile(text                                                      \
					 :                                                         \
					 : "a"(hole), "b"(hole + 64), "D"(hole + 8192), "S"(hole), \
					 "d"(16), "c"(64)                                          \
					 : "memory", "r8", "r9", "r12", "r13", "xmm0");            \
		check(text);                                                                       \
	} while (0)

static void catch_faults(void)
{
	struct sigaction sa = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigaction(SIGSEGV, &sa, NULL);
}

static void check(const char *text)
{
	assert_true(seen);
	if (guess >> 12 != fault >> 12)
		fail_msg("%s: guessed %lx, was %lx", text, guess, fault);
}

static int setup(void **state)
{
	hole = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(hole, MAP_FAILED);
	hole += 32768;
	return 0;
}

static void plain(void **state)
{
	TRY("movb $1, (%%rax)");
	TRY("mov 4096(%%rax), %%edx");
	TRY("mov -4096(%%rax), %%rdx");
	TRY("mov 0x18(%%rax,%%rcx,8), %%rdx");
	TRY("movq $7, -0x2000(%%rbx,%%rdx,4)");
	TRY("mov %%rax, %%r12; mov (%%r12), %%rdx");
	TRY("mov %%rax, %%r13; movl $5, 0x1000(%%r13)");
	TRY("mov %%rax, %%r9; mov $2, %%r8; mov (%%r9,%%r8,2), %%al");
	TRY("lock incl 8(%%rbx)");
	TRY("addq $1, (%%rdi)");
	TRY("cmpb $0, 1(%%rsi)");
	TRY("movzbl (%%rsi), %%edx");
	TRY("movslq 4(%%rsi), %%rdx");
	TRY("imul $3, (%%rax), %%edx");
	TRY("xchg %%rdx, (%%rax)");
	TRY("lock cmpxchg %%rdx, (%%rdi)");
	TRY("testb $1, 4(%%rbx)");
	TRY("prefetcht0 (%%rax); mov (%%rax), %%dl");
	TRY("mov $64, %%edx; mov (,%%rdx,8), %%rdx");
}

static void strings(void **state)
{
	TRY("rep stosb");
	TRY("rep stosq");
	TRY("lodsq");
	TRY("scasb");
	TRY("mov %%rsp, %%rdi; lea -256(%%rdi), %%rdi; rep movsb");
	TRY("lea (%%rip), %%rsi; rep movsb");
}

static void vectors(void **state)
{
	TRY("movups (%%rsi), %%xmm0");
	TRY("movaps %%xmm0, 16(%%rdi)");
	TRY("movdqu %%xmm0, 4096(%%rdi,%%rcx,1)");
	TRY("pcmpeqb (%%rax), %%xmm0");
	TRY("movq (%%rax), %%xmm0");
	if (__builtin_cpu_supports("avx2")) {
		TRY("vmovdqu (%%rsi), %%ymm0");
		TRY("vmovdqu %%ymm0, -0x20(%%rdi,%%rdx)");
		TRY("mov %%rdi, %%r12; vmovdqa %%ymm0, 0x1000(%%r12)");
		TRY("mov %%rdi, %%r9; vpcmpeqb 64(%%r9,%%rcx,2), %%ymm0, %%ymm0");
	}
	if (__builtin_cpu_supports("avx512vl")) {
		TRY("vmovdqu64 (%%rsi), %%zmm0");
		TRY("vmovdqu64 %%zmm0, 0x40(%%rdi)");
		TRY("vmovdqu64 %%ymm0, 0x1000(%%rdi,%%rcx)");
		TRY("mov %%rdi, %%r13; vmovdqu64 %%zmm0, -0x1000(%%r13)");
	}
}

/* Whatever the bytes are: an answer, and nothing behind them is read. */
static void rubbish(void **state)
{
	uint8_t *code =
		mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct regs r = {0};

	assert_int_equal(mprotect(code + 4096, 4096, PROT_NONE), 0);
	srandom(7);
	for (unsigned round = 0; round < 200000; round++) {
		unsigned n = (unsigned)random() % 16;

		for (unsigned i = 0; i < n; i++)
			code[4096 - n + i] = (uint8_t)random();
		operand_address(&r, code + 4096 - n, n, random() & 1, 0, 0);
	}
	assert_true(operand_address(&r, code, 0, false, 0, 0) == OPERAND_UNKNOWN);
	assert_true(
		operand_address(&r, (const uint8_t *)"\x90", 1, false, 0, 0) == OPERAND_UNKNOWN);
	munmap(code, 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(strings),
		cmocka_unit_test(vectors),
		cmocka_unit_test(rubbish),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
