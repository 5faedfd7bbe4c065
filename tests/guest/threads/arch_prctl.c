/* SPDX-License-Identifier: Apache-2.0 */
/* FS and GS bases: set, read, refused; both kept over calls and other threads. */
#include "tests/guest/guest.h"

#include <asm/prctl.h>

static void *other(void *arg)
{
	unsigned long gs = 1;

	NEED(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs) == 0);
	say("other thread: gs %lu\n", gs);
	NEED(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x1234000) == 0);
	sleep_ms(5);
	NEED(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs) == 0);
	say("other thread: gs %lx\n", gs);
	return NULL;
}
int main(void)
{
	static unsigned long word = 42;
	unsigned long fs = 0, gs = 0, value = 0;

	RAW(arch_prctl, ARCH_GET_FS, &fs);
	ASK(fs != 0);
	RAW(arch_prctl, ARCH_SET_FS, fs);
	RAW(arch_prctl, ARCH_SET_GS, &word);
	__asm__ volatile("mov %%gs:0, %0" : "=r"(value));
	say("through gs: %lu\n", value);
	pthread_join(start_thread(other, NULL), NULL);
	RAW(arch_prctl, ARCH_GET_GS, &gs);
	ASK(gs == (uintptr_t)&word);
	RAW(arch_prctl, ARCH_GET_FS, BAD_PTR);
	RAW(arch_prctl, ARCH_GET_GS, BAD_KERNEL);
	RAW(arch_prctl, ARCH_SET_FS, BAD_KERNEL);
	RAW(arch_prctl, ARCH_SET_GS, 0x8000000000000000ul);
	RAW(arch_prctl, 0, 0);
	RAW(arch_prctl, -1, 0);
	return 0;
}
