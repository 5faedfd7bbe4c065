/* SPDX-License-Identifier: Apache-2.0 */
/* Listening: bound twice, backlog values, shutdown of a listener, connect to itself. */
#include "tests/guest/sock.h"

int main(void)
{
	struct sockaddr_in a, b = loopback(0);
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "listen"};
	int l = listener(&a), c, n = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), x;

	SHOW(listen(l, 0));
	SHOW(listen(l, -1));
	SHOW(listen(l, 1000000));
	SHOW(bind(l, SA(&a), sizeof(a)));
	SHOW(connect(l, SA(&a), sizeof(a)));
	SHOW(send(l, "x", 1, MSG_NOSIGNAL));
	SHOW(recv(l, &b, 1, 0));
	c = connected(&a);
	SHOW(listen(c, 5));
	SHOW(fcntl(l, F_SETFL, O_NONBLOCK));
	NEED(wait_for(l, POLLIN) == POLLIN);
	SHOW_OK(accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
	SHOW(accept4(l, NULL, NULL, 0));
	SHOW(close(l));
	SHOW(connect(n, SA(&a), sizeof(a)) == 0 || errno == EINPROGRESS || errno == ECONNREFUSED);
	x = socket(AF_UNIX, SOCK_STREAM, 0);
	SHOW(listen(x, 5));
	SHOW(bind(x, SA(&un), sizeof(un)));
	SHOW(connect(x, SA(&un), sizeof(un)));
	SHOW(listen(x, 5));
	SHOW(listen(x, 7));
	SHOW(connect(x, SA(&un), sizeof(un)));
	c = socket(AF_UNIX, SOCK_DGRAM, 0);
	SHOW(connect(c, SA(&un), sizeof(un)));
	SHOW(listen(c, 5));
	SHOW(accept(c, NULL, NULL));
	unlink("listen");
	close(c);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	SHOW(connect(c, SA(&un), sizeof(un)));
	return 0;
}
