/* SPDX-License-Identifier: Apache-2.0 */
/* A mapped file: past its end SIGBUS, shared and private, after it was made shorter. */
#include "tests/guest/guest.h"

static sigjmp_buf back;
static volatile int code;

static void handler(int signo, siginfo_t *info, void *context)
{
	code = info->si_code;
	siglongjmp(back, signo);
}
static void touch(const char *what, volatile char *p, bool write)
{
	int signo = sigsetjmp(back, 1);

	if (signo) {
		say("%s: %s code %d\n", what, signo == SIGBUS ? "SIGBUS" : "SIGSEGV", code);
		return;
	}
	if (write)
		*p = 5;
	say("%s: %d\n", what, *p);
}
int main(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600);
	char *s, *p;

	on_signal(SIGBUS, handler, 0);
	on_signal(SIGSEGV, handler, 0);
	NEED(ftruncate(fd, PAGE + 10) == 0 && pwrite(fd, "a", 1, PAGE) == 1);
	s = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	NEED(s != MAP_FAILED && p != MAP_FAILED);
	touch("shared in", s + PAGE, false);
	touch("shared tail", s + PAGE + 100, true);
	touch("shared past", s + 2 * PAGE, false);
	touch("private past", p + 2 * PAGE, true);
	touch("private in", p + PAGE, true);
	NEED(ftruncate(fd, 10) == 0);
	touch("shared cut", s + PAGE, false);
	touch("private cut", p + PAGE, false);
	NEED(ftruncate(fd, 4 * PAGE) == 0);
	touch("shared again", s + PAGE, false);
	touch("shared new", s + 3 * PAGE, true);
	SHOW(pread(fd, s, 1, 3 * PAGE));
	say("%d\n", s[0]);
	NEED(mprotect(s, PAGE, PROT_READ) == 0);
	touch("read only", s, true);
	return 0;
}
