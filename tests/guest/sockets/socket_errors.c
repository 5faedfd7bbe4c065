/* SPDX-License-Identifier: Apache-2.0 */
/* socket, bind, listen, connect, accept: what is refused. */
#include "tests/guest/sock.h"

int main(void)
{
	struct sockaddr_in a = loopback(0),
			   far = {.sin_family = AF_INET, .sin_addr = {htonl(0x01020304)}};
	socklen_t len = sizeof(a);
	int t = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_INET, SOCK_DGRAM, 0), p[2], l, l2;

	NEED(pipe(p) == 0);
	SHOW(socket(99, SOCK_STREAM, 0));
	SHOW(socket(AF_INET, 99, 0));
	SHOW(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	SHOW(socket(AF_UNIX, SOCK_STREAM, 99));
	SHOW(socket(AF_INET, SOCK_STREAM | 0x100, 0));
	SHOW(bind(99, SA(&a), sizeof(a)));
	SHOW(bind(p[0], SA(&a), sizeof(a)));
	SHOW(bind(t, SA(&a), 8));
	SHOW(bind(t, SA(&far), sizeof(far)));
	RAW(bind, t, BAD_PTR, sizeof(a));
	RAW(bind, t, &a, -1);
	SHOW(listen(u, 5));
	SHOW(listen(p[0], 5));
	SHOW(accept(t, NULL, NULL));
	SHOW(accept(u, NULL, NULL));
	SHOW(accept4(t, NULL, NULL, 0x10));
	SHOW(connect(p[0], SA(&a), sizeof(a)));
	SHOW(connect(t, SA(&a), 4));
	RAW(connect, t, BAD_PTR, sizeof(a));
	l = listener(&a);
	l2 = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(bind(l2, SA(&a), sizeof(a)));
	SHOW(connect(t, SA(&a), sizeof(a)));
	SHOW(connect(t, SA(&a), sizeof(a)));
	SHOW(bind(t, SA(&a), sizeof(a)));
	RAW(accept, l, BAD_PTR, &len);
	SHOW(getpeername(l, SA(&a), &len));
	SHOW(getpeername(u, SA(&a), &len));
	RAW(getsockname, t, &a, BAD_PTR);
	len = (socklen_t)-1;
	SHOW(getsockname(t, SA(&a), &len));
	SHOW(shutdown(l2, SHUT_RD));
	SHOW(shutdown(t, 9));
	SHOW(shutdown(p[0], SHUT_RD));
	SHOW(shutdown(99, SHUT_RD));
	SHOW(socketpair(AF_INET, SOCK_STREAM, 0, p));
	SHOW(socketpair(AF_UNIX, 99, 0, p));
	return 0;
}
