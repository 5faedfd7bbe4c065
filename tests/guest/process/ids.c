/* SPDX-License-Identifier: Apache-2.0 */
/* Identities: root, and becoming another user works, in all threads. */
#include "tests/guest/guest.h"

#include <grp.h>

static void *thread(void *arg)
{
	while (getuid() == 0)
		sched_yield();
	return (void *)(uintptr_t)getuid();
}

int main(void)
{
	gid_t groups[64];
	uid_t r, e, s;
	pthread_t other;
	void *result;

	ASK(getpid() > 0 && getppid() >= 0);
	SHOW(getuid() + geteuid() + getgid() + getegid());
	SHOW(setgroups(0, NULL));
	SHOW(getgroups(64, groups));
	other = start_thread(thread, NULL);
	SHOW(setgid(1000));
	SHOW(setuid(1000));
	pthread_join(other, &result);
	SHOW(result);
	SHOW(getuid());
	SHOW(getegid());
	SHOW(getresuid(&r, &e, &s));
	ASK(r == 1000 && e == 1000 && s == 1000);
	return 0;
}
