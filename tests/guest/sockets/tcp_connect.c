/* SPDX-License-Identifier: Apache-2.0 */
/* connect: refused, nonblocking, twice, to the wrong family. */
#include "tests/guest/sock.h"

static int pending_error(int fd)
{
	int error = -1;
	socklen_t len = sizeof(error);

	NEED(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && len == sizeof(error));
	return error;
}

int main(void)
{
	struct sockaddr_in address, nobody, other = {.sin_family = 77};
	int l = listener(&address), unused = bound(SOCK_STREAM, &nobody),
	    fd = socket(AF_INET, SOCK_STREAM, 0), r;

	close(unused);
	SHOW(connect(fd, SA(&nobody), sizeof(nobody)));
	SHOW(connect(fd, SA(&address), sizeof(address)));
	SHOW(connect(fd, SA(&address), sizeof(address)));
	SHOW(connect(fd, SA(&address),
		3)); /* too short, but a connected socket has no use for more than the family */
	SHOW(connect(fd, SA(&address), 1)); /* not even a family */
	fd = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(connect(fd, SA(&address), 3));
	SHOW(connect(fd, SA(&other), sizeof(other)));
	SHOW(connect(999, SA(&address), sizeof(address)));
	SHOW(connect(STDOUT_FILENO, SA(&address), sizeof(address)));

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	r = connect(fd, SA(&address), sizeof(address));
	ASK(r == 0 || errno == EINPROGRESS);
	ASK(wait_for(fd, POLLOUT) == POLLOUT);
	say("SO_ERROR %s\n", errname(pending_error(fd)));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	r = connect(fd, SA(&nobody), sizeof(nobody));
	ASK(r == -1 && (errno == EINPROGRESS || errno == ECONNREFUSED));
	if (errno == EINPROGRESS) {
		ASK((wait_for(fd, POLLOUT) & (POLLERR | POLLHUP)) == (POLLERR | POLLHUP));
		say("SO_ERROR %s\n", errname(pending_error(fd)));
		say("SO_ERROR %s\n", errname(pending_error(fd)));
	} else {
		say("(refused at once)\n");
	}
	close(l);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
	SHOW(recv(fd, &r, 1, 0));
	SHOW(shutdown(fd, SHUT_RDWR));
	SHOW(socket(77, SOCK_STREAM, 0));
	SHOW(socket(AF_INET, 77, 0));
	SHOW(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	return 0;
}
