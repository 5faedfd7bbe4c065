/* SPDX-License-Identifier: Apache-2.0 */
/* RLIMIT_NOFILE and others: what is refused, what has an effect, what is read back. */
#include "tests/guest/guest.h"

#include <sys/resource.h>

int main(void)
{
	struct rlimit r, low = {12, 20}, wrong = {30, 20};
	int n = 0, fd;

	SHOW(setrlimit(RLIMIT_NOFILE, &wrong));
	SHOW(setrlimit(RLIMIT_NOFILE, &low));
	SHOW(getrlimit(RLIMIT_NOFILE, &r));
	say("%lu %lu\n", (unsigned long)r.rlim_cur, (unsigned long)r.rlim_max);
	while ((fd = dup(1)) >= 0)
		n = fd;
	say("highest %d, then %s\n", n, errname(errno));
	SHOW(open("/dev/null", O_RDONLY));
	SHOW(pipe((int[2]){0, 0}));
	SHOW(fcntl(1, F_DUPFD, 12));
	SHOW(close(n));
	SHOW(pipe((int[2]){0, 0}));
	SHOW(open("/dev/null", O_RDONLY));
	SHOW(setrlimit(99, &low));
	SHOW(getrlimit(99, &r));
	SHOW(getrlimit(-1, &r));
	RAW(getrlimit, RLIMIT_NOFILE, BAD_PTR);
	RAW(setrlimit, RLIMIT_NOFILE, BAD_PTR);
	RAW(prlimit64, 0, RLIMIT_NOFILE, BAD_PTR, &r);
	RAW(prlimit64, 0, RLIMIT_NOFILE, NULL, BAD_PTR);
	RAW(prlimit64, 999999, RLIMIT_NOFILE, NULL, &r);
	RAW(prlimit64, 0, RLIMIT_NOFILE, NULL, &r);
	RAW(prlimit64, 0, 16, NULL, &r);
	return 0;
}
