/* SPDX-License-Identifier: Apache-2.0 */
/* Number, code and address of the signal for each kind of bad access. */
#include "tests/guest/guest.h"

#include <ucontext.h>

#define PA (MAP_PRIVATE | MAP_ANONYMOUS)
static sigjmp_buf back;
static siginfo_t got;
static unsigned long trap, error;
static void on_fault(int signo, siginfo_t *info, void *context)
{
	got = *info;
	trap = (unsigned long)((ucontext_t *)context)->uc_mcontext.gregs[REG_TRAPNO];
	error = (unsigned long)((ucontext_t *)context)->uc_mcontext.gregs[REG_ERR];
	siglongjmp(back, 1);
}
static void show(const char *what, const volatile void *at)
{
	say("%s: %s code %d, address %s, trap %lu error %#lx\n", what,
		got.si_signo == SIGSEGV ? "SIGSEGV" : "SIGBUS", got.si_code,
		got.si_addr == at ? "right" : "wrong", trap, error & 0x16);
}
#define AT(what, access, at)                                                                       \
	do {                                                                                       \
		if (sigsetjmp(back, 1) == 0) {                                                     \
			access;                                                                    \
			say("%s: no fault\n", what);                                               \
		} else {                                                                           \
			show(what, at);                                                            \
		}                                                                                  \
	} while (0)
int main(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	volatile char *p = mmap(NULL, 4 * PAGE, PROT_NONE, PA, -1, 0), *f,
		      *bad = (char *)0x800000000000ul;
	volatile char *volatile null = BAD_PTR;

	NEED(ftruncate(fd, 10) == 0 && p != MAP_FAILED);
	f = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	on_signal(SIGSEGV, on_fault, 0);
	on_signal(SIGBUS, on_fault, 0);
	NEED(mprotect((char *)(uintptr_t)p + PAGE, PAGE, PROT_READ) == 0 &&
		munmap((char *)(uintptr_t)p + 3 * PAGE, PAGE) == 0);
	AT("read of PROT_NONE", (void)p[5], p + 5);
	AT("write of PROT_NONE", p[5] = 1, p + 5);
	AT("write of PROT_READ", p[PAGE + 7] = 1, p + PAGE + 7);
	AT("jump to PROT_READ", ((void (*)(void))(uintptr_t)(p + PAGE))(), p + PAGE);
	AT("read of nothing", (void)p[3 * PAGE], p + 3 * PAGE);
	AT("write of nothing", p[3 * PAGE] = 1, p + 3 * PAGE);
	AT("read of page 0", (void)*null, null);
	AT("write of page 0", *null = 1, null);
	AT("jump to 8", ((void (*)(void))BAD_PTR)(), BAD_PTR);
	AT("read behind the file", (void)f[PAGE], f + PAGE);
	AT("write behind the file", f[PAGE] = 1, f + PAGE);
	AT("read in its last page", (void)f[100], f + 100);
	AT("read of no address", (void)*bad, NULL);
	AT("write of no address", *bad = 1, NULL);
	return 0;
}
