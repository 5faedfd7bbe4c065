/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: setting, reading, refusing. */
#include "tests/guest/guest.h"

#include <sys/resource.h>

int main(void)
{
	struct rlimit l = {0}, old;

	SHOW(getrlimit(RLIMIT_CORE, &l));
	l.rlim_cur = 0;
	SHOW(setrlimit(RLIMIT_CORE, &l));
	SHOW(getrlimit(RLIMIT_STACK, &old));
	ASK(old.rlim_cur >= 1 << 20);
	RAW(getrlimit, 99, &l);
	RAW(getrlimit, -1, &l);
	RAW(getrlimit, RLIMIT_CORE, BAD_PTR);
	RAW(setrlimit, RLIMIT_CORE, BAD_PTR);
	RAW(prlimit64, 0, RLIMIT_CORE, BAD_PTR, NULL);
	RAW(prlimit64, 0, RLIMIT_CORE, NULL, BAD_PTR);
	RAW(prlimit64, 999999, RLIMIT_CORE, NULL, NULL);
	RAW(prlimit64, 0, 99, NULL, NULL);
	RAW(prlimit64, 0, RLIMIT_CORE, NULL, NULL);
	l = (struct rlimit){10, 5};
	RAW(setrlimit, RLIMIT_CORE, &l);
	l = (struct rlimit){16, 64};
	SHOW(setrlimit(RLIMIT_NOFILE, &l));
	SHOW(dup2(1, 16));
	SHOW(dup2(1, 15));
	SHOW(fcntl(1, F_DUPFD, 16));
	SHOW(sysconf(_SC_OPEN_MAX));
	return 0;
}
