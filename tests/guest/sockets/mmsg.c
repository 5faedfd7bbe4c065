/* SPDX-License-Identifier: Apache-2.0 */
/* sendmmsg and recvmmsg. */
#include "tests/guest/sock.h"

int main(void)
{
	struct sockaddr_in a;
	int r = bound(SOCK_DGRAM, &a), s = socket(AF_INET, SOCK_DGRAM, 0);
	char text[3][8] = {"one", "two", "three"}, got[4][8] = {{0}};
	struct iovec v[3], w[4];
	struct mmsghdr m[3] = {0}, n[4] = {0};

	for (int i = 0; i < 3; i++) {
		v[i] = (struct iovec){text[i], strlen(text[i])};
		m[i].msg_hdr = (struct msghdr){.msg_name = &a,
			.msg_namelen = sizeof(a),
			.msg_iov = &v[i],
			.msg_iovlen = 1};
	}
	for (int i = 0; i < 4; i++) {
		w[i] = (struct iovec){got[i], 8};
		n[i].msg_hdr = (struct msghdr){.msg_iov = &w[i], .msg_iovlen = 1};
	}
	SHOW(sendmmsg(s, m, 3, 0));
	say("%u %u %u\n", m[0].msg_len, m[1].msg_len, m[2].msg_len);
	for (int done = 0, k; done < 3; done += k) { /* they need not come at once */
		NEED(wait_for(r, POLLIN) == POLLIN);
		k = recvmmsg(r, n + done, 4 - (unsigned)done, MSG_DONTWAIT, NULL);
		NEED(k > 0);
	}
	say("%s %s %s %u\n", got[0], got[1], got[2], n[2].msg_len);
	SHOW(recvmmsg(r, n, 4, MSG_DONTWAIT, NULL));
	RAW(sendmmsg, s, BAD_PTR, 1, 0);
	RAW(recvmmsg, r, BAD_PTR, 1, MSG_DONTWAIT, NULL);
	RAW(sendmmsg, 99, m, 1, 0);
	return 0;
}
