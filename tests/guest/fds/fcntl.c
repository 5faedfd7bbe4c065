/* SPDX-License-Identifier: Apache-2.0 */
/* fcntl: status flags of files, pipes and sockets. */
#include "tests/guest/guest.h"

#include <sys/socket.h>

static void flags(const char *what, int fd)
{
	int fl = fcntl(fd, F_GETFL);

	say("%s: mode %d%s%s\n", what, fl & O_ACCMODE, fl & O_APPEND ? " append" : "",
		fl & O_NONBLOCK ? " nonblock" : "");
}

int main(void)
{
	int p[2], fd = open("file", O_WRONLY | O_CREAT | O_APPEND, 0600),
		  s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	NEED(pipe2(p, O_NONBLOCK) == 0);
	flags("file", fd);
	flags("pipe 0", p[0]);
	flags("pipe 1", p[1]);
	flags("socket", s);
	SHOW(fcntl(fd, F_SETFL, O_NONBLOCK | O_RDWR | O_CREAT));
	flags("file", fd);
	SHOW(fcntl(p[0], F_SETFL, 0));
	flags("pipe 0", p[0]);
	flags("pipe 1", p[1]);
	SHOW(fcntl(s, F_SETFL, 0));
	flags("socket", s);
	SHOW(fcntl(fd, 9999));
	SHOW(fcntl(999, F_GETFL));
	SHOW(fcntl(-1, F_GETFD));
	ASK(fcntl(p[0], F_GETPIPE_SZ) >= 4096);
	SHOW(fcntl(fd, F_GETPIPE_SZ));
	SHOW(pipe2(p, 0x1234));
	return 0;
}
