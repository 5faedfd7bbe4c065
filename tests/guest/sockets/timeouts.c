/* SPDX-License-Identifier: Apache-2.0 */
/* SO_RCVTIMEO and SO_SNDTIMEO: waits end with EAGAIN, not before. */
#include "tests/guest/sock.h"

int main(void)
{
	static char big[65536];
	struct timeval tv = {0, 30000}, bad = {0, 2000000};
	int s[2], l;
	struct sockaddr_in a;
	int64_t start;

	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	SHOW(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &bad, sizeof(bad)));
	SHOW(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, 4));
	SHOW(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	SHOW(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	start = now_ns();
	SHOW(recv(s[0], big, 1, 0));
	ASK(now_ns() - start >= 29000000);
	SHOW(read(s[0], big, 1));
	while (send(s[0], big, sizeof(big), MSG_DONTWAIT) > 0)
		;
	start = now_ns();
	SHOW(send(s[0], big, 1, 0));
	ASK(now_ns() - start >= 29000000);
	l = listener(&a);
	SHOW(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	start = now_ns();
	SHOW(accept(l, NULL, NULL));
	ASK(now_ns() - start >= 29000000);
	return 0;
}
