/* SPDX-License-Identifier: Apache-2.0 */
/* Connect and accept without waiting: EINPROGRESS, EALREADY, EISCONN, SO_ERROR after a refusal. */
#include "tests/guest/sock.h"

int main(void)
{
	struct sockaddr_in a, gone;
	int l = listener(&a), c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), e = 0, r;
	socklen_t len = sizeof(e);

	SHOW(fcntl(l, F_SETFL, O_NONBLOCK));
	SHOW(accept(l, NULL, NULL));
	r = connect(c, SA(&a), sizeof(a));
	say("%d\n", r == 0 || errno == EINPROGRESS);
	say("events %#x\n", wait_for(c, POLLOUT));
	SHOW(getsockopt(c, SOL_SOCKET, SO_ERROR, &e, &len));
	say("%s\n", errname(e));
	SHOW(connect(c, SA(&a), sizeof(a)) == 0 || errno == EISCONN);
	SHOW(connect(c, SA(&a), sizeof(a)));
	SHOW(recv(c, &e, 1, 0));
	NEED(wait_for(l, POLLIN) == POLLIN);
	SHOW_OK(r = accept(l, NULL, NULL));
	say("inherited %d\n", (fcntl(r, F_GETFL) & O_NONBLOCK) != 0);
	close(bound(SOCK_STREAM, &gone));
	c = socket(AF_INET, SOCK_STREAM, 0);
	close(c);
	c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	SHOW(bind(l, SA(&a), sizeof(a)));
	r = bound(SOCK_STREAM, &gone);
	close(r);
	r = connect(c, SA(&gone), sizeof(gone));
	say("%d\n", errno == EINPROGRESS || errno == ECONNREFUSED);
	if (r < 0 && errno == EINPROGRESS) {
		wait_for(c, POLLOUT);
		getsockopt(c, SOL_SOCKET, SO_ERROR, &e, &len);
	} else {
		e = ECONNREFUSED;
	}
	say("%s\n", errname(e));
	return 0;
}
