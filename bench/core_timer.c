/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_timer - what the core of the kernel, or of the libOS, takes for one of each: calls, faults, switches. The same binary runs on
 * Linux and as a unikernel. Each line is "NAME NANOSECONDS": the median of ROUNDS rounds of many operations.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE   4096ul
#define ROUNDS 7
#define AREAS  2000

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Runs n operations in each round and prints the median. op returns ns when it measures by itself, else 0. */
static void measure(const char *name, unsigned n, uint64_t (*op)(unsigned n))
{
	double ns[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = now_ns(), own = op(n);

		ns[i] = (double)(own ? own : now_ns() - start) / n;
	}
	qsort(ns, ROUNDS, sizeof(ns[0]), compare);
	printf("%s %.1f\n", name, ns[ROUNDS / 2]);
	fflush(stdout);
}

static void *map(size_t bytes, int prot, int flags)
{
	void *p = mmap(NULL, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

/* ---- calls */

static uint64_t getppid_loop(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		getppid();
	return 0;
}

static uint64_t raw_loop(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		syscall(SYS_getppid);
	return 0;
}

static uint64_t clock_loop(unsigned n)
{
	struct timespec ts;

	for (unsigned i = 0; i < n; i++)
		clock_gettime(CLOCK_MONOTONIC, &ts);
	return 0;
}

static uint64_t read_loop(unsigned n)
{
	static int fds[2];
	char c = 1;

	if (!fds[0] && pipe(fds))
		exit(1);
	for (unsigned i = 0; i < n; i++) {
		if (write(fds[1], &c, 1) != 1 || read(fds[0], &c, 1) != 1)
			exit(1);
	}
	return 0;
}

/* ---- memory */

static uint64_t touch_loop(unsigned n)
{
	volatile char *p = map(n * PAGE, PROT_READ | PROT_WRITE, 0);
	uint64_t start = now_ns(), took;

	for (unsigned i = 0; i < n; i++)
		p[i * PAGE] = 1;
	took = now_ns() - start;
	munmap((void *)(uintptr_t)p, n * PAGE);
	return took;
}

static uint64_t populate_loop(unsigned n)
{
	munmap(map(n * PAGE, PROT_READ | PROT_WRITE, MAP_POPULATE), n * PAGE);
	return 0;
}

static uint64_t map_loop(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		munmap(map(16 * PAGE, PROT_READ | PROT_WRITE, 0), 16 * PAGE);
	return 0;
}

/* A page is touched, so that there is something to take down. */
static uint64_t map_touch_loop(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		volatile char *p = map(16 * PAGE, PROT_READ | PROT_WRITE, 0);

		*p = 1;
		munmap((void *)(uintptr_t)p, 16 * PAGE);
	}
	return 0;
}

/* Protections that differ from area to area, with many areas there. */
static uint64_t protect_loop(unsigned n)
{
	static char *p;

	if (!p) {
		p = map(2 * AREAS * PAGE, PROT_NONE, MAP_NORESERVE);
		for (unsigned i = 0; i < AREAS; i++)
			mprotect(p + 2 * i * PAGE, PAGE, PROT_READ | PROT_WRITE);
	}
	for (unsigned i = 0; i < n; i++)
		mprotect(p + 2 * (i / 2 * 7 % AREAS) * PAGE, PAGE,
			i & 1 ? PROT_READ | PROT_WRITE : PROT_READ);
	return 0;
}

static uint64_t discard_loop(unsigned n)
{
	static volatile char *p;

	if (!p)
		p = map(64 * PAGE, PROT_READ | PROT_WRITE, 0);
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < 64; k++)
			p[k * PAGE] = 1;
		madvise((void *)(uintptr_t)p, 64 * PAGE, MADV_DONTNEED);
	}
	return 0;
}

/* ---- threads and signals */

static _Atomic int ball;
static unsigned passes;

static void pass_ball(int mine)
{
	for (unsigned i = 0; i < passes; i++) {
		while (atomic_load(&ball) != mine)
			syscall(SYS_futex, &ball, FUTEX_WAIT_PRIVATE, !mine, NULL, NULL, 0);
		atomic_store(&ball, !mine);
		syscall(SYS_futex, &ball, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
}

static void *partner(void *arg)
{
	(void)arg;
	pass_ball(1);
	return NULL;
}

static uint64_t ball_loop(unsigned n)
{
	pthread_t t;

	passes = n;
	if (pthread_create(&t, NULL, partner, NULL))
		exit(1);
	pass_ball(0);
	pthread_join(t, NULL);
	return 0;
}

static void *yielder(void *arg)
{
	for (unsigned i = 0; i < *(unsigned *)arg; i++)
		sched_yield();
	return NULL;
}

static uint64_t yield_loop(unsigned n)
{
	unsigned half = n / 2;
	pthread_t t;

	if (pthread_create(&t, NULL, yielder, &half))
		exit(1);
	yielder(&half);
	pthread_join(t, NULL);
	return 0;
}

static void *nothing(void *arg)
{
	return arg;
}

static uint64_t create_loop(unsigned n)
{
	pthread_t t;

	for (unsigned i = 0; i < n; i++) {
		if (pthread_create(&t, NULL, nothing, NULL))
			exit(1);
		pthread_join(t, NULL);
	}
	return 0;
}

static void on_signal(int signo)
{
	(void)signo;
}

static uint64_t signal_loop(unsigned n)
{
	struct sigaction sa = {.sa_handler = on_signal};

	sigaction(SIGUSR1, &sa, NULL);
	for (unsigned i = 0; i < n; i++)
		raise(SIGUSR1);
	return 0;
}

int main(void)
{
	measure("getppid", 20000, getppid_loop);
	measure("syscall_getppid", 20000, raw_loop);
	measure("clock_gettime", 20000, clock_loop);
	measure("pipe_write_read", 5000, read_loop);
	measure("touch_page", 8192, touch_loop);
	measure("populate_page", 8192, populate_loop);
	measure("mmap_munmap", 2000, map_loop);
	measure("mmap_touch_munmap", 1000, map_touch_loop);
	measure("mprotect", 4000, protect_loop);
	measure("touch_discard_64", 50, discard_loop);
	measure("futex_ball", 2000, ball_loop);
	measure("yield", 4000, yield_loop);
	measure("thread", 200, create_loop);
	measure("signal", 2000, signal_loop);
	return 0;
}
