/* SPDX-License-Identifier: Apache-2.0 */
/* Thread numbers and names. */
#include "tests/guest/threads.h"

#include <sys/prctl.h>

static pid_t other_tid;

static void *thread(void *arg)
{
	char name[17] = {0};

	other_tid = (pid_t)syscall(SYS_gettid);
	ASK(other_tid != getpid());
	SHOW(prctl(PR_SET_NAME, "a-name-that-is-too-long"));
	SHOW(prctl(PR_GET_NAME, name));
	say("%s\n", name);
	SHOW(prctl(PR_GET_NAME, BAD_PTR));
	return NULL;
}

int main(void)
{
	char name[17] = {0};

	ASK(syscall(SYS_gettid) == getpid());
	ASK(syscall(SYS_set_tid_address, &other_tid) == getpid());
	pthread_join(start_thread(thread, NULL), NULL);
	SHOW(prctl(PR_GET_NAME, name));
	say("%s\n", name);
	until_gone(other_tid);
	SHOW(syscall(SYS_tgkill, getpid(), other_tid, 0));
	SHOW(prctl(9999));
	return 0;
}
