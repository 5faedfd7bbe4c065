/* SPDX-License-Identifier: Apache-2.0 */
/* What another thread is doing, so that a test waits for it and not for time: it sleeps, or it has gone. */
#ifndef TESTS_GUEST_THREADS_H
#define TESTS_GUEST_THREADS_H

#include "tests/guest/guest.h"

/* Does the thread wait in the kernel? It must exist. */
static MAY_BE_UNUSED bool thread_sleeps(long tid)
{
	char path[64], text[512] = "";
	const char *state;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/stat", tid);
	fd = open(path, O_RDONLY);
	NEED(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && close(fd) == 0);
	state = strrchr(text, ')');
	NEED(state);
	return state[2] == 'S';
}

/* Waits until the thread has written its number to *tid and sleeps: *tid is 0 before. */
static MAY_BE_UNUSED void until_sleeps(const long *tid)
{
	while (!__atomic_load_n(tid, __ATOMIC_SEQ_CST) || !thread_sleeps(*tid))
		sched_yield();
}

/* Waits until a thread that was joined has gone: Linux wakes who joins it a little before. */
static MAY_BE_UNUSED void until_gone(long tid)
{
	while (syscall(SYS_tgkill, getpid(), tid, 0) == 0)
		sched_yield();
}

#endif
