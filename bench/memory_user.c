/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_user MIB - takes memory and touches all of it, frees it, and sleeps: for bench/memory, which looks at the process around from
 * outside. A line is printed when each is done, with what it took; a second passes in between.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static void done(const char *what, uint64_t start)
{
	printf("%s %llu us\n", what, (unsigned long long)(now_us() - start));
	fflush(stdout);
	sleep(1);
}

int main(int argc, char **argv)
{
	size_t bytes = (size_t)(argc > 1 ? atol(argv[1]) : 256) << 20;
	uint64_t start = now_us();
	volatile char *p;

	done("started", start);
	start = now_us();
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	for (size_t i = 0; i < bytes; i += PAGE)
		p[i] = 1;
	done("touched", start);
	start = now_us();
	munmap((void *)(uintptr_t)p, bytes);
	done("freed", start);
	for (;;)
		pause();
}
