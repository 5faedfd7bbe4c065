/* SPDX-License-Identifier: Apache-2.0 */
/* RWF_NOWAIT: a call that does not wait, through descriptors that do. */
#include "tests/guest/guest.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>

int main(void)
{
	static char big[1 << 20];
	struct iovec v = {big, 5}, all = {big, sizeof(big)};
	int p[2], s[2], e = eventfd(0, 0);

	NEED(e >= 0 && pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	memcpy(big, "words", 5);
	SHOW(preadv2(p[0], &v, 1, -1, RWF_NOWAIT));
	SHOW(pwritev2(p[1], &v, 1, -1, RWF_NOWAIT));
	memset(big, 0, 5);
	SHOW(preadv2(p[0], &v, 1, -1, RWF_NOWAIT));
	say("%s\n", big);
	SHOW(pwritev2(p[1], &all, 1, -1, RWF_NOWAIT));
	SHOW(pwritev2(p[1], &all, 1, -1, RWF_NOWAIT));
	SHOW(preadv2(s[0], &v, 1, -1, RWF_NOWAIT));
	SHOW(pwritev2(s[1], &v, 1, -1, RWF_NOWAIT));
	SHOW(preadv2(s[0], &all, 1, -1, RWF_NOWAIT));
	while (pwritev2(s[0], &all, 1, -1, RWF_NOWAIT) > 0)
		;
	say("full: %s\n", errname(errno));
	v.iov_len = 8;
	SHOW(preadv2(e, &v, 1, -1, RWF_NOWAIT));
	SHOW(eventfd_write(e, 3));
	SHOW(preadv2(e, &v, 1, -1, RWF_NOWAIT));
	SHOW(close(p[1]));
	SHOW(preadv2(p[0], &all, 1, -1, RWF_NOWAIT));
	SHOW(preadv2(p[0], &all, 1, -1, RWF_NOWAIT));
	SHOW(close(s[0]));
	SHOW(fcntl(s[1], F_GETFL) & O_NONBLOCK);
	return 0;
}
