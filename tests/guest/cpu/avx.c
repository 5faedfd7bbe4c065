/* SPDX-License-Identifier: Apache-2.0 */
/* The upper halves of ymm registers, where the processor has them, over system calls, faults, signals and thread switches. */
#include "tests/guest/guest.h"

typedef long long vec __attribute__((vector_size(32), aligned(32)));

static void handler(int signo, siginfo_t *info, void *context)
{
	memset((char[512]){0}, signo, 512);
}

__attribute__((target("avx"))) static void load(const vec *v)
{
	__asm__ volatile("vmovdqa %0, %%ymm6\n\tvmovdqa %0, %%ymm13" ::"m"(*v));
}

__attribute__((target("avx"))) static bool same(const vec *v)
{
	vec a, b;

	__asm__ volatile("vmovdqa %%ymm6, %0\n\tvmovdqa %%ymm13, %1\n\tvzeroupper"
			 : "=m"(a), "=m"(b));
	return memcmp(&a, v, 32) == 0 && memcmp(&b, v, 32) == 0;
}

static long raw(long number, long a, long b)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(number), "D"(a), "S"(b)
			 : "rcx", "r11", "memory");
	return r;
}

__attribute__((target("avx"))) static void *worker(void *arg)
{
	struct timespec ms = {0, 200000};
	vec v = {(intptr_t)arg, -(intptr_t)arg, 77, 88 + (intptr_t)arg};
	volatile char *fresh =
		mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long bad = 0, pid = getpid(), tid = syscall(SYS_gettid);

	for (size_t i = 0; i < 64; i++) {
		load(&v);
		fresh[i * PAGE] = 1;
		raw(SYS_sched_yield, 0, 0);
		raw(SYS_nanosleep, (long)&ms, 0);
		raw(SYS_tkill, tid, SIGUSR1);
		raw(SYS_getppid, pid, 0);
		bad += !same(&v);
	}
	return (void *)bad;
}

int main(void)
{
	pthread_t thread[4];
	long bad = 0;

	on_signal(SIGUSR1, handler, 0);
	if (__builtin_cpu_supports("avx")) {
		for (intptr_t i = 0; i < 4; i++)
			thread[i] = start_thread(worker, (void *)(i + 1));
		for (int i = 0; i < 4; i++) {
			void *result;

			pthread_join(thread[i], &result);
			bad += (long)result;
		}
	}
	say("%ld times the registers differed\n", bad);
	return 0;
}
