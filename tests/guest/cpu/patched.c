/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places that make the same call many times, which a libOS may change into jumps: whatever it does there, registers, red zone, jumps into
 * the middle, addresses in signal frames, and changes of the memory around are as if the instruction were untouched.
 */
#include "tests/guest/guest.h"

#include <sys/time.h>
#include <ucontext.h>

#define MANY 200

struct seen {
	uint64_t rcx, flags, zone_top, zone_bottom;
};

long call_mov(struct seen *seen, uint64_t mark);
long call_mov_direct(struct seen *seen, uint64_t mark, long nr);
long call_cmp(long nr, long a, long b);
long call_cmp_behind(long value);
extern const char text_start[], text_end[], site_mov[], site_cmp[];
extern const char __executable_start[], etext[];

/* getppid is 110. The flags are set by the comparison in front (carry), the marks lie in the red zone. */
__asm__(".pushsection .text\n"
	".balign 4096\n"
	"text_start:\n"
	"call_mov:\n"
	"	mov %rsi, -8(%rsp)\n"
	"	mov %rsi, -128(%rsp)\n"
	"	cmp $-1, %rsi\n"
	"	mov $110, %eax\n"
	"site_mov:\n"
	"	syscall\n"
	"	mov %rcx, (%rdi)\n"
	"	mov %r11, 8(%rdi)\n"
	"	mov -8(%rsp), %rdx\n"
	"	mov %rdx, 16(%rdi)\n"
	"	mov -128(%rsp), %rdx\n"
	"	mov %rdx, 24(%rdi)\n"
	"	ret\n"
	"call_mov_direct:\n"
	"	mov %rsi, -8(%rsp)\n"
	"	mov %rsi, -128(%rsp)\n"
	"	mov %rdx, %rax\n"
	"	jmp site_mov\n"
	"call_cmp:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"site_cmp:\n"
	"	syscall\n"
	"site_behind:\n"
	"	cmp $-4096, %rax\n"
	"	ja 1f\n"
	"	ret\n"
	"1:	mov $-1, %rax\n"
	"	ret\n"
	"call_cmp_behind:\n"
	"	mov %rdi, %rax\n"
	"	jmp site_behind\n"
	".balign 4096\n"
	"text_end:\n"
	".popsection\n");

static volatile sig_atomic_t hits, strange, in_loop;
static uint64_t hit_rip;

static void on_usr1(int signo, siginfo_t *info, void *context)
{
	hit_rip = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	hits++;
}

/* While the loop runs only this program's own code does: a stub of the libOS would be a place that is not there. */
static void on_tick(int signo, siginfo_t *info, void *context)
{
	uint64_t rip = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

	if (in_loop && (rip < (uint64_t)__executable_start || rip >= (uint64_t)etext))
		strange++;
	hits++;
}

static bool right(const struct seen *s, uint64_t mark)
{
	return s->rcx == (uint64_t)site_mov + 2 && s->zone_top == mark && s->zone_bottom == mark;
}

static void registers(void)
{
	struct seen s;
	bool good = true, same_flags = true;

	for (uint64_t i = 0; i < MANY; i++) {
		good = good && call_mov(&s, i) >= 0 && right(&s, i);
		same_flags = same_flags && (s.flags & 1); /* carry: i is below 2^64 - 1 */
	}
	ASK(good);
	ASK(same_flags);
	good = call_mov_direct(&s, 5, SYS_gettid) > 0 && right(&s, 5);
	for (int i = 0; i < MANY; i++)
		good = good && call_mov_direct(&s, 7, SYS_getppid) >= 0 && right(&s, 7);
	ASK(good);
}

static void jumps(void)
{
	bool good = true;

	for (int i = 0; i < MANY; i++)
		good = good && call_cmp(SYS_getppid, 0, 0) >= 0 && call_cmp(SYS_close, -1, 0) == -1;
	ASK(good);
	ASK(call_cmp_behind(12) == 12);
	ASK(call_cmp_behind(-5) == -1);
}

static void frames(void)
{
	on_signal(SIGUSR1, on_usr1, 0);
	hits = 0;
	for (int i = 0; i < MANY; i++)
		NEED(call_cmp(SYS_tkill, gettid(), SIGUSR1) == 0);
	ASK(hits == MANY && hit_rip == (uint64_t)site_cmp + 2);
}

/* The alarm finds the program anywhere in the calls. */
static void interrupted(void)
{
	struct itimerval often = {{0, 2000}, {0, 2000}}, off = {{0, 0}, {0, 0}};
	struct seen s;
	bool good = true;

	on_signal(SIGALRM, on_tick, SA_RESTART);
	hits = strange = 0;
	NEED(setitimer(ITIMER_REAL, &often, NULL) == 0);
	in_loop = 1;
	for (unsigned i = 0; hits < 20 && i < 1u << 31; i++)
		good = good && call_mov(&s, i) >= 0 && right(&s, i) &&
			call_cmp(SYS_getppid, 0, 0) >= 0;
	in_loop = 0;
	NEED(setitimer(ITIMER_REAL, &off, NULL) == 0);
	ASK(hits >= 20 && good);
	ASK(strange == 0);
}

/* Who makes the code writable finds the code that was there, and what is written is what runs. */
static void rewritten(void)
{
	size_t bytes = (size_t)(text_end - text_start);
	uint8_t *volatile hidden = (uint8_t *)(uintptr_t)site_mov;
	uint8_t *code = hidden;
	struct seen s;

	SHOW(mprotect((void *)(uintptr_t)text_start, bytes, PROT_READ | PROT_WRITE | PROT_EXEC));
	ASK(code[0] == 0x0f && code[1] == 0x05 && code[-5] == 0xb8 && code[-4] == 110);
	code[-4] = SYS_gettid;
	ASK(call_mov(&s, 9) == gettid() && right(&s, 9));
	SHOW(mprotect((void *)(uintptr_t)text_start, bytes, PROT_READ | PROT_EXEC));
	for (int i = 0; i < MANY; i++)
		NEED(call_mov(&s, 9) == gettid());
	ASK(right(&s, 9));
}

/* Unmaps whatever the libOS has mapped for its jumps: nothing on Linux. */
static void without_stubs(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512], *start, *end;
	struct seen s;
	bool good = true;

	NEED(f);
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, "[stubs]") &&
			sscanf(line, "%p-%p", (void **)&start, (void **)&end) == 2)
			good = good && munmap(start, (size_t)(end - start)) == 0;
	}
	fclose(f);
	for (int i = 0; i < MANY; i++)
		good = good && call_mov(&s, 9) == gettid() && call_cmp(SYS_getppid, 0, 0) >= 0;
	ASK(good);
}

int main(void)
{
	registers();
	jumps();
	frames();
	interrupted();
	rewritten();
	without_stubs();
	return 0;
}
