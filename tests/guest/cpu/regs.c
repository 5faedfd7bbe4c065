/* SPDX-License-Identifier: Apache-2.0 */
/* A system call changes rax, rcx and r11 and nothing else; rcx is the return address, r11 the flags. */
#include "tests/guest/regs.h"

DEFINE_RUN(run_syscall, "syscall\nsyscall_done:");
extern const char syscall_done[];

static int p[2];

static void *feed(void *arg)
{
	struct regs in, out;

	for (int i = 0; i < 50; i++) {
		regs_fill(&in, 1000u + (unsigned)i);
		in.gpr[RAX] = SYS_sched_yield;
		run_syscall(&in, &out);
		if (memcmp(in.xmm, out.xmm, sizeof(in.xmm)) != 0)
			say("  the other thread's vectors changed\n");
	}
	sleep_ms(5);
	NEED(write(p[1], "x", 1) == 1);
	return NULL;
}

static void call(const char *name, long number, uint64_t a, uint64_t b, uint64_t c)
{
	struct regs in, out;

	say("%s\n", name);
	regs_fill(&in, (uint32_t)number);
	in.gpr[RAX] = (uint64_t)number;
	in.gpr[RDI] = a;
	in.gpr[RSI] = b;
	in.gpr[RDX] = c;
	for (int i = 0; i < 3; i++) /* the first time may take another way than later ones */
		run_syscall(&in, &out);
	regs_compare(&in, &out, 1u << RAX | 1u << RCX | 1u << R11);
	ASK(out.gpr[RCX] == (uint64_t)syscall_done);
	ASK((out.gpr[R11] & 1) == 1);
}

int main(void)
{
	char buf[4096];
	struct timespec ts;
	pthread_t thread;

	NEED(pipe(p) == 0);
	call("getppid", SYS_getppid, 1, 2, 3);
	call("sched_yield", SYS_sched_yield, 1, 2, 3);
	call("clock_gettime", SYS_clock_gettime, CLOCK_MONOTONIC, (uint64_t)&ts, 0);
	call("unknown", 9999, 1, 2, 3);
	call("EFAULT", SYS_pipe2, 8, 0, 0);
	call("EBADF", SYS_read, 999, (uint64_t)buf, sizeof(buf));
	call("getrandom", SYS_getrandom, (uint64_t)buf, sizeof(buf), 0);
	NEED(write(p[1], "xx", 2) == 2);
	thread = start_thread(feed, NULL);
	call("read that waits", SYS_read, (uint64_t)p[0], (uint64_t)buf, 1);
	pthread_join(thread, NULL);
	return 0;
}
