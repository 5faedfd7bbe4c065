/* SPDX-License-Identifier: Apache-2.0 */
/* prctl: names of threads, pointers, options that do not exist, values that are refused. */
#include "tests/guest/guest.h"

#include <sys/personality.h>
#include <sys/prctl.h>

static void *thread(void *arg)
{
	char name[16] = "";

	SHOW(prctl(PR_GET_NAME, name));
	say("inherited %s\n", name);
	SHOW(prctl(PR_SET_NAME, "mine"));
	return NULL;
}
int main(void)
{
	char name[17] = "";

	SHOW(prctl(PR_SET_NAME, "a name of more than fifteen letters"));
	SHOW(prctl(PR_GET_NAME, name));
	say("%s %zu\n", name, strlen(name));
	pthread_join(start_thread(thread, NULL), NULL);
	SHOW(prctl(PR_GET_NAME, name));
	say("%s\n", name);
	SHOW(prctl(PR_SET_NAME, ""));
	SHOW(prctl(PR_GET_NAME, name));
	say("[%s]\n", name);
	SHOW(prctl(PR_SET_NAME, BAD_PTR));
	SHOW(prctl(PR_GET_NAME, BAD_PTR));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(PR_SET_DUMPABLE, 5));
	SHOW(prctl(PR_GET_DUMPABLE));
	SHOW(prctl(PR_SET_PDEATHSIG, 100));
	SHOW(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	SHOW(prctl(99999, 0, 0, 0, 0));
	RAW(personality, 0xffffffff);
	return 0;
}
