/* SPDX-License-Identifier: Apache-2.0 */
/* UDP: connected sockets take from their peer only; a refused datagram is told once. */
#include "tests/guest/sock.h"

int main(void)
{
	struct sockaddr_in a, b, gone, none = {.sin_family = AF_UNSPEC};
	int x = bound(SOCK_DGRAM, &a), y = bound(SOCK_DGRAM, &b), z = bound(SOCK_DGRAM, &gone),
	    other, e;
	socklen_t len = sizeof(e);
	char c[8];

	other = socket(AF_INET, SOCK_DGRAM, 0);
	SHOW(connect(x, SA(&b), sizeof(b)));
	SHOW(sendto(other, "other", 5, 0, SA(&a), sizeof(a)));
	close(z); /* now: the other has another port */
	z = other;
	SHOW(sendto(y, "peer", 4, 0, SA(&a), sizeof(a)));
	SHOW(recv(x, c, 8, 0));
	SHOW(recv(x, c, 8, MSG_DONTWAIT));
	SHOW(sendto(x, "to", 2, 0, SA(&a), sizeof(a))); /* itself: from a stranger */
	SHOW(recv(x, c, 8, MSG_DONTWAIT));
	SHOW(connect(z, SA(&gone), sizeof(gone)));
	SHOW(send(z, "x", 1, 0));
	NEED(wait_for(z, POLLIN) >= 0);
	SHOW(getsockopt(z, SOL_SOCKET, SO_ERROR, &e, &len));
	say("%s\n", errname(e));
	SHOW(send(z, "x", 1, 0));
	NEED(wait_for(z, POLLIN) >= 0);
	SHOW(recv(z, c, 8, 0));
	SHOW(recv(z, c, 8, MSG_DONTWAIT));
	SHOW(connect(z, SA(&none), sizeof(none)));
	SHOW(send(z, "x", 1, 0));
	SHOW(shutdown(z, SHUT_RD));
	return 0;
}
