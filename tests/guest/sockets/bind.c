/* SPDX-License-Identifier: Apache-2.0 */
/* bind, listen, getsockname, getpeername: addresses and refusals. */
#include "tests/guest/sock.h"

int main(void)
{
	struct sockaddr_in address,
		foreign = {.sin_family = AF_INET, .sin_addr = {htonl(0xc0000201)}}, name;
	struct sockaddr_in any = {.sin_family = AF_INET};
	int l = listener(&address), fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, c, a;
	socklen_t len = sizeof(name);

	SHOW(bind(fd, SA(&address), sizeof(address)));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	SHOW(bind(fd, SA(&address), sizeof(address))); /* the other one listens */
	SHOW(bind(fd, SA(&foreign), sizeof(foreign)));
	SHOW(bind(fd, SA(&address), 4));
	address.sin_family = 77;
	SHOW(bind(fd, SA(&address), sizeof(address)));
	address.sin_family = AF_INET;
	SHOW(getpeername(fd, SA(&name), &len));
	SHOW(getsockname(fd, SA(&name), &len));
	ASK(name.sin_family == AF_INET && name.sin_port == 0 && name.sin_addr.s_addr == 0);
	SHOW(bind(fd, SA(&any), sizeof(any)));
	SHOW(bind(fd, SA(&any), sizeof(any)));
	SHOW(getsockname(fd, SA(&name), &len));
	ASK(name.sin_port != 0 && name.sin_addr.s_addr == 0);
	SHOW(accept(fd, NULL, NULL));
	SHOW(listen(fd, 5));
	SHOW(listen(fd, 1));
	SHOW(listen(socket(AF_INET, SOCK_DGRAM, 0), 5));
	SHOW(listen(socket(AF_INET, SOCK_STREAM, 0), 5)); /* binds by itself */
	SHOW(listen(STDOUT_FILENO, 5));
	SHOW(listen(999, 5));
	c = connected(&address);
	a = accept(l, NULL, NULL);
	NEED(getpeername(c, SA(&name), &len) == 0);
	ASK(name.sin_port == address.sin_port);
	{
		struct sockaddr_in mine;

		NEED(getsockname(c, SA(&mine), &len) == 0 && getpeername(a, SA(&name), &len) == 0);
		ASK(name.sin_port == mine.sin_port && name.sin_addr.s_addr == mine.sin_addr.s_addr);
	}
	len = 4;
	memset(&name, 0xee, sizeof(name));
	SHOW(getsockname(c, SA(&name), &len));
	say("%u bytes\n", len);
	ASK(name.sin_family == AF_INET && name.sin_addr.s_addr == 0xeeeeeeee);
	len = (socklen_t)-1;
	SHOW(getsockname(c, SA(&name), &len));
	/* A port with old connections only can be bound again with SO_REUSEADDR. */
	l = socket(AF_INET, SOCK_STREAM, 0);
	any = loopback(0);
	NEED(setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
	NEED(bind(l, SA(&any), sizeof(any)) == 0 && listen(l, 5) == 0);
	len = sizeof(address);
	NEED(getsockname(l, SA(&address), &len) == 0);
	c = connected(&address);
	a = accept(l, NULL, NULL);
	close(l);
	close(a);
	close(c);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	SHOW(bind(fd, SA(&address), sizeof(address)));
	SHOW(listen(fd, 5));
	return 0;
}
