/* SPDX-License-Identifier: Apache-2.0 */
/* File mappings: private and shared writes, the tail of the last page, SIGBUS behind it, life after close and unlink. */
#include "tests/guest/guest.h"

#define LEN 5000

static sigjmp_buf back;
static volatile int got_signal, got_code;

static void fault(int signo, siginfo_t *info, void *context)
{
	got_signal = signo;
	got_code = info->si_code;
	siglongjmp(back, 1);
}

static void read_at(const char *what, volatile char *p)
{
	got_signal = 0;
	if (!sigsetjmp(back, 1))
		(void)*p;
	say("%s: %s\n", what,
		got_signal == 0 ? "readable"
			: got_signal == SIGBUS
			? (got_code == BUS_ADRERR ? "SIGBUS BUS_ADRERR" : "SIGBUS")
			: "SIGSEGV");
}

int main(void)
{
	static char data[LEN], copy[LEN];
	int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int wronly = open("mapped", O_WRONLY), rdonly = open("mapped", O_RDONLY);
	char *priv, *shared;

	on_signal(SIGBUS, fault, 0);
	on_signal(SIGSEGV, fault, 0);
	fill_pattern(data, LEN, 1);
	NEED(write(fd, data, LEN) == LEN);
	SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, wronly, 0));
	SHOW_OK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, rdonly, 0));
	SHOW_OK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, rdonly, 0));
	SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100));
	priv = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	shared = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(priv != MAP_FAILED && shared != MAP_FAILED);
	ASK(memcmp(priv, data, LEN) == 0);
	ASK(memcmp(shared, data, LEN) == 0);
	ASK(all_bytes(priv + LEN, 2 * PAGE - LEN, 0));
	read_at("third page of a two-page file", priv + 2 * PAGE);
	memset(priv, 'P', 10);
	NEED(pread(fd, copy, LEN, 0) == LEN);
	ASK(memcmp(copy, data, LEN) == 0);
	memset(shared + 100, 'S', 10);
	SHOW(msync(shared, 2 * PAGE, MS_SYNC));
	SHOW(msync(shared + 1, PAGE, MS_SYNC));
	NEED(pread(fd, copy, LEN, 0) == LEN);
	ASK(memcmp(copy + 100, "SSSSSSSSSS", 10) == 0);
	NEED(pwrite(fd, "written", 7, 4096) == 7);
	ASK(memcmp(shared + 4096, "written", 7) == 0);
	SHOW(ftruncate(fd, 3 * PAGE));
	read_at("third page after growing", shared + 2 * PAGE);
	SHOW(ftruncate(fd, 10));
	read_at("second page after shrinking", shared + PAGE);
	read_at("first page after shrinking", shared + 100);
	ASK(shared[100] == 0);
	SHOW(close(fd));
	SHOW(unlink("mapped"));
	ASK(memcmp(shared, data, 10) == 0);
	SHOW(munmap(shared, 3 * PAGE));
	return 0;
}
