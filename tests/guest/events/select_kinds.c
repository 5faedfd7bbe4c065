/* SPDX-License-Identifier: Apache-2.0 */
/* select: each set, closed descriptors, files, the highest number. */
#include "tests/guest/guest.h"

#include <sys/select.h>

int main(void)
{
	struct timeval zero = {0, 0};
	fd_set r, w, x;
	int p[2], f = open("file", O_RDWR | O_CREAT, 0600);

	NEED(pipe(p) == 0 && f > 0);
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&x);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	FD_SET(f, &x);
	SHOW(select(64, &r, &w, &x, &zero));
	say("%d %d %d\n", FD_ISSET(p[0], &r), FD_ISSET(p[1], &w), FD_ISSET(f, &x));
	FD_SET(f, &r);
	FD_SET(f, &w);
	SHOW(select(f + 1, &r, &w, NULL, &zero));
	say("%d %d\n", FD_ISSET(f, &r), FD_ISSET(f, &w));
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	close(p[1]);
	SHOW(select(p[0] + 1, &r, NULL, NULL, &zero));
	FD_ZERO(&w);
	FD_SET(p[1], &w);
	SHOW(select(p[1] + 1, NULL, &w, NULL, &zero));
	SHOW(select(p[1], NULL, &w, NULL, &zero));
	FD_ZERO(&r);
	FD_SET(1000, &r);
	SHOW(select(1024, &r, NULL, NULL, &zero));
	SHOW(select(0, &r, &w, &x, &zero));
	return 0;
}
