/* SPDX-License-Identifier: Apache-2.0 */
/* sendmmsg and recvmmsg: stops at an error in the middle, time limits, MSG_WAITFORONE. */
#include "tests/guest/sock.h"

static struct mmsghdr m[4];
static struct iovec v[4];
static char b[4][8];

static void reset(void)
{
	for (int i = 0; i < 4; i++) {
		v[i] = (struct iovec){b[i], 2};
		m[i] = (struct mmsghdr){{.msg_iov = &v[i], .msg_iovlen = 1}, 77};
	}
}
int main(void)
{
	struct timespec zero = {0, 0}, bad = {0, -1}, some = {100, 0};
	int s[2];

	NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	reset();
	SHOW(sendmmsg(s[0], m, 0, 0));
	v[2].iov_base = BAD_PTR;
	SHOW(sendmmsg(s[0], m, 4, 0));
	say("%u %u %u\n", m[0].msg_len, m[1].msg_len, m[2].msg_len);
	reset();
	SHOW(recvmmsg(s[1], m, 4, MSG_WAITFORONE, NULL));
	say("%u %u %u\n", m[0].msg_len, m[1].msg_len, m[2].msg_len);
	reset();
	v[0].iov_base = BAD_PTR;
	SHOW(sendmmsg(s[0], m, 4, 0));
	reset();
	SHOW(recvmmsg(s[1], m, 4, 0, &bad));
	SHOW(recvmmsg(s[1], m, 4, MSG_DONTWAIT, &zero));
	RAW(recvmmsg, s[1], m, 4, MSG_DONTWAIT, BAD_PTR);
	reset();
	SHOW(sendmmsg(s[0], m, 3, 0));
	SHOW(recvmmsg(s[1], m, 2, 0, &some));
	SHOW(recvmmsg(s[1], m, 2, MSG_DONTWAIT, NULL));
	SHOW(recvmmsg(s[1], m, 2, MSG_DONTWAIT, NULL));
	SHOW(recvmmsg(99, m, 2, MSG_DONTWAIT, NULL));
	SHOW(sendmmsg(STDIN_FILENO, m, 2, 0));
	return 0;
}
