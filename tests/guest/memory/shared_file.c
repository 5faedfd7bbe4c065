/* SPDX-License-Identifier: Apache-2.0 */
/* A shared mapping and read and write see the same bytes; truncation takes pages away. */
#include "tests/guest/guest.h"

static sigjmp_buf back;
static void on_fault(int signo, siginfo_t *info, void *context)
{
	siglongjmp(back, signo);
}
static void peek(const char *p, const char *what)
{
	int signo = sigsetjmp(back, 1);

	if (signo == 0)
		say("%s: %d\n", what, *(const volatile char *)p);
	else
		say("%s: %s\n", what, signo == SIGBUS ? "SIGBUS" : "SIGSEGV");
}
int main(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	char *a, *b, byte;

	on_signal(SIGBUS, on_fault, 0);
	on_signal(SIGSEGV, on_fault, 0);
	NEED(ftruncate(fd, 2 * (off_t)PAGE + 10) == 0);
	a = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	NEED(a != MAP_FAILED && b != MAP_FAILED);
	a[PAGE] = 1;
	SHOW(pread(fd, &byte, 1, (off_t)PAGE));
	say("%d\n", byte);
	byte = 2;
	SHOW(pwrite(fd, &byte, 1, (off_t)PAGE + 1));
	say("%d %d\n", a[PAGE + 1], b[PAGE + 1]);
	b[PAGE + 1] = 3;
	say("%d %d\n", a[PAGE + 1], b[PAGE + 1]);
	a[2 * PAGE + 20] = 9; /* behind the end, in its page */
	peek(a + 3 * PAGE, "behind the end");
	SHOW(ftruncate(fd, 4 * (off_t)PAGE));
	peek(a + 3 * PAGE, "after growth");
	SHOW(ftruncate(fd, (off_t)PAGE + 1));
	peek(a + PAGE, "last page");
	peek(a + PAGE + 1, "behind the end in its page");
	peek(a + 2 * PAGE, "cut off");
	peek(b + PAGE + 1, "changed private page");
	peek(b + 2 * PAGE, "cut off private");
	SHOW(ftruncate(fd, 4 * (off_t)PAGE));
	peek(a + 2 * PAGE + 20, "zero again");
	close(fd);
	SHOW(unlink("file"));
	a[3 * PAGE] = 5;
	peek(a + 3 * PAGE, "unlinked");
	return 0;
}
