/* SPDX-License-Identifier: Apache-2.0 */
/* Faults at bad addresses: NULL, the end of the user half, non-canonical; a thousand times in a row; in a thread. */
#include "tests/guest/guest.h"

static __thread sigjmp_buf back;
static __thread volatile int code;
static __thread void *volatile address;

static void fault(int signo, siginfo_t *info, void *context)
{
	code = info->si_code;
	address = info->si_addr;
	siglongjmp(back, 1);
}

static bool reads(const void *p)
{
	if (sigsetjmp(back, 1))
		return false;
	(void)*(const volatile char *)p;
	return true;
}

static bool writes(void *p)
{
	if (sigsetjmp(back, 1))
		return false;
	*(volatile char *)p = 1;
	return true;
}

static bool jumps(void *p)
{
	if (sigsetjmp(back, 1))
		return false;
	((void (*)(void))p)();
	return true;
}

static void *thread(void *arg)
{
	int count = 0;

	for (int i = 0; i < 1000; i++)
		count += !writes((void *)(uintptr_t)(16 * i));
	say("thread: %d faults\n", count);
	return NULL;
}

int main(void)
{
	on_signal(SIGSEGV, fault, 0);
	ASK(reads(NULL));
	ASK(code == SEGV_MAPERR && address == NULL);
	ASK(writes(BAD_PTR));
	ASK(code == SEGV_MAPERR && address == BAD_PTR);
	ASK(reads(BAD_TOP));
	ASK(reads((void *)0x8000000000000000ul));
	ASK(jumps((void *)16));
	ASK(code == SEGV_MAPERR && address == (void *)16);
	pthread_join(start_thread(thread, NULL), NULL);
	thread(NULL);
	return 0;
}
