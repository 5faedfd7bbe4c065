/* SPDX-License-Identifier: Apache-2.0 */
/* The few ioctls that programs use. */
#include "tests/guest/guest.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

int main(void)
{
	int p[2], s[2], n = -1, on = 1, off = 0, file = open("file", O_RDWR | O_CREAT, 0600);
	struct winsize size;
	struct termios tio;

	NEED(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 &&
		write(file, "0123456789", 10) == 10);
	SHOW(ioctl(p[0], FIONREAD, &n));
	SHOW(n);
	NEED(write(p[1], "abc", 3) == 3 && write(s[1], "abcd", 4) == 4 &&
		lseek(file, 3, SEEK_SET) == 3);
	SHOW(ioctl(p[0], FIONREAD, &n));
	SHOW(n);
	SHOW(ioctl(s[0], FIONREAD, &n));
	SHOW(n);
	SHOW(ioctl(file, FIONREAD, &n));
	SHOW(n);
	SHOW(ioctl(p[0], FIONBIO, &on));
	SHOW(fcntl(p[0], F_GETFL) & O_NONBLOCK);
	SHOW(ioctl(p[0], FIONBIO, &off));
	SHOW(fcntl(p[0], F_GETFL) & O_NONBLOCK);
	SHOW(ioctl(file, FIOCLEX));
	SHOW(fcntl(file, F_GETFD));
	SHOW(ioctl(file, FIONCLEX));
	SHOW(fcntl(file, F_GETFD));
	SHOW(ioctl(file, TCGETS, &tio));
	SHOW(ioctl(p[0], TCGETS, &tio));
	SHOW(ioctl(file, TIOCGWINSZ, &size));
	SHOW(isatty(file));
	SHOW(isatty(999));
	SHOW(ioctl(999, FIONREAD, &n));
	SHOW(ioctl(p[0], FIONREAD, BAD_PTR));
	SHOW(ioctl(file, 0x12345678, &n));
	return 0;
}
