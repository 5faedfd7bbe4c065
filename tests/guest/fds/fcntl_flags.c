/* SPDX-License-Identifier: Apache-2.0 */
/* F_GETFL and F_SETFL: what each kind answers, what is kept, what is ignored. */
#include "tests/guest/guest.h"

#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static void flags(const char *name, int fd)
{
	int f = fcntl(fd, F_GETFL);

	say("%s: access %d, other %#x\n", name, f & O_ACCMODE, f & ~(O_ACCMODE | 0100000));
}
int main(void)
{
	int p[2], s[2], one = 1, zero = 0,
			fd = open("file", O_CREAT | O_EXCL | O_TRUNC | O_WRONLY | O_APPEND, 0600);

	NEED(pipe2(p, O_CLOEXEC) == 0 &&
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0);
	flags("file", fd);
	flags("pipe in", p[0]);
	flags("pipe out", p[1]);
	flags("socket", s[0]);
	flags("eventfd", eventfd(0, EFD_NONBLOCK));
	SHOW(fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK | O_CREAT));
	flags("file", fd);
	SHOW(fcntl(p[0], F_SETFL, O_NONBLOCK));
	flags("pipe in", p[0]);
	flags("pipe out", p[1]);
	SHOW(ioctl(p[1], FIONBIO, &one));
	flags("pipe out", p[1]);
	SHOW(ioctl(p[1], FIONBIO, &zero));
	flags("pipe out", p[1]);
	SHOW(ioctl(p[1], FIOCLEX));
	SHOW(fcntl(p[1], F_GETFD));
	SHOW(ioctl(p[1], FIONCLEX));
	SHOW(fcntl(p[1], F_GETFD));
	SHOW(fcntl(p[1], F_SETFD, 0xffff));
	SHOW(fcntl(p[1], F_GETFD));
	SHOW(ioctl(p[1], FIONBIO, BAD_PTR));
	SHOW(ioctl(p[1], 0x12345678, &one));
	SHOW(ioctl(99, FIONBIO, &one));
	SHOW(fcntl(99, F_GETFL));
	return 0;
}
