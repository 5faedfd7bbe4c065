/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks of threads: sizes, own memory, the guard page. */
#include "tests/guest/guest.h"

static sigjmp_buf back;

static void fault(int signo, siginfo_t *info, void *context)
{
	siglongjmp(back, 1);
}

static __attribute__((noinline)) unsigned dig(unsigned levels)
{
	volatile char room[1024];

	room[0] = (char)levels;
	room[1023] = (char)levels;
	return levels ? dig(levels - 1) + (unsigned)(room[0] == room[1023]) : 0;
}

static void *deep(void *arg)
{
	return (void *)(uintptr_t)dig((unsigned)(uintptr_t)arg);
}

static void *overflow(void *arg)
{
	static char alternate[65536];
	stack_t ss = {.ss_sp = alternate, .ss_size = sizeof(alternate)};

	NEED(sigaltstack(&ss, NULL) == 0);
	if (sigsetjmp(back, 1))
		return (void *)1;
	return (void *)(uintptr_t)dig(1000000);
}

static void *on_own_memory(void *arg)
{
	char local;
	char *base = arg;

	return (void *)(intptr_t)(&local >= base && &local < base + 65536);
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	void *result, *memory;
	size_t size;

	pthread_attr_init(&attr);
	SHOW_ERR(pthread_attr_setstacksize(&attr, 100));
	SHOW_ERR(pthread_attr_setstacksize(&attr, 16 << 20));
	NEED(pthread_create(&thread, &attr, deep, (void *)12000) == 0);
	pthread_join(thread, &result);
	SHOW(result);
	SHOW_ERR(pthread_attr_setstacksize(&attr, 65536));
	on_signal(SIGSEGV, fault, SA_ONSTACK);
	for (int i = 0; i < 3; i++) {
		NEED(pthread_create(&thread, &attr, overflow, NULL) == 0);
		pthread_join(thread, &result);
		SHOW(result);
	}
	NEED(posix_memalign(&memory, 4096, 65536) == 0);
	SHOW_ERR(pthread_attr_setstack(&attr, memory, 65536));
	NEED(pthread_create(&thread, &attr, on_own_memory, memory) == 0);
	pthread_join(thread, &result);
	SHOW(result);
	NEED(pthread_getattr_np(pthread_self(), &attr) == 0);
	NEED(pthread_attr_getstack(&attr, &memory, &size) == 0);
	ASK((char *)&size >= (char *)memory && (char *)&size < (char *)memory + size);
	return 0;
}
