/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/null, zero, full, urandom. */
#include "tests/guest/guest.h"

int main(void)
{
	static char a[5000], b[5000];
	int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR),
	    random = open("/dev/urandom", O_RDONLY);
	int full = open("/dev/full", O_RDWR);
	char *p;

	SHOW(write(null, a, sizeof(a)));
	SHOW(read(null, a, sizeof(a)));
	memset(a, 1, sizeof(a));
	SHOW(read(zero, a, sizeof(a)));
	ASK(all_bytes(a, sizeof(a), 0));
	SHOW(write(zero, a, 7));
	SHOW(read(random, a, sizeof(a)));
	SHOW(read(random, b, sizeof(b)));
	ASK(memcmp(a, b, sizeof(a)) != 0);
	SHOW(read(full, a, 10));
	SHOW(write(full, a, 10));
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
	ASK(p != MAP_FAILED && all_bytes(p, 2 * PAGE, 0));
	SHOW(ftruncate(null, 0));
	SHOW_OK(open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600));
	SHOW_OK(open("/dev/random", O_RDONLY));
	SHOW(access("/dev/stdout", F_OK) | access("/dev/stderr", F_OK) |
		access("/dev/stdin", F_OK));
	SHOW(access("/dev/shm", F_OK));
	SHOW(open("/dev/missing", O_RDONLY));
	return 0;
}
