/* SPDX-License-Identifier: Apache-2.0 */
/* Locks of open file descriptions on ranges, against each other and against those of the process: conflicts, parts, what a close drops. */
#include "tests/guest/guest.h"

#include <limits.h>
#include <sys/socket.h>

#ifndef F_OFD_GETLK
#define F_OFD_GETLK  36
#define F_OFD_SETLK  37
#define F_OFD_SETLKW 38
#endif

static int lock(int fd, int cmd, int type, long start, long len)
{
	struct flock l = {
		.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(fd, cmd, &l);
}

static int ofd(int fd, int type, long start, long len)
{
	return lock(fd, F_OFD_SETLK, type, start, len);
}

static int own(int fd, int type, long start, long len)
{
	return lock(fd, F_SETLK, type, start, len);
}

/* Who is in the way of writing at this byte? */
static void ask(int fd, int cmd, long at)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};

	if (fcntl(fd, cmd, &l) < 0)
		say("at %ld: %s\n", at, errname(errno));
	else if (l.l_type == F_UNLCK)
		say("at %ld: free\n", at);
	else
		say("at %ld: %s %ld+%ld of %s\n", at, l.l_type == F_RDLCK ? "read" : "write",
			(long)l.l_start, (long)l.l_len,
			l.l_pid == -1                 ? "a description"
				: l.l_pid == getpid() ? "the process"
						      : "somebody");
}

static void conflicts(int a, int b)
{
	SHOW(ofd(a, F_WRLCK, 0, 10));
	SHOW(ofd(a, F_WRLCK, 5, 10));
	SHOW(ofd(b, F_WRLCK, 14, 1));
	SHOW(ofd(b, F_RDLCK, 0, 1));
	SHOW(ofd(b, F_WRLCK, 15, 0));
	ask(a, F_OFD_GETLK, 100);
	ask(b, F_OFD_GETLK, 3);
	ask(b, F_GETLK, 3);
	SHOW(own(a, F_RDLCK, 9, 1)); /* of another owner, although through the same file */
	SHOW(ofd(a, F_RDLCK, 0, 15));
	SHOW(ofd(b, F_RDLCK, 0, 1));
	SHOW(own(a, F_RDLCK, 9, 1));
	SHOW(ofd(a, F_WRLCK, 9, 1));
	SHOW(ofd(a, F_WRLCK, 1, 1));
	ask(b, F_OFD_GETLK, 9);
	SHOW(own(b, F_UNLCK, 0, 0));
	SHOW(ofd(a, F_UNLCK, 0, 0));
	SHOW(ofd(b, F_UNLCK, 0, 0));
	ask(a, F_GETLK, 0);
}

static void parts(int a, int b)
{
	SHOW(ofd(a, F_WRLCK, 10, 90));
	SHOW(ofd(a, F_UNLCK, 40, 20)); /* two parts */
	ask(b, F_OFD_GETLK, 39);
	ask(b, F_OFD_GETLK, 40);
	ask(b, F_OFD_GETLK, 59);
	ask(b, F_OFD_GETLK, 60);
	SHOW(ofd(a, F_RDLCK, 20, 10)); /* three */
	ask(b, F_OFD_GETLK, 15);
	ask(b, F_OFD_GETLK, 25);
	ask(b, F_OFD_GETLK, 30);
	SHOW(ofd(a, F_WRLCK, 40, 20)); /* touches both sides */
	ask(b, F_OFD_GETLK, 50);
	SHOW(ofd(a, F_WRLCK, 20, 10));
	ask(b, F_OFD_GETLK, 50);
	SHOW(ofd(a, F_WRLCK, 90, 0));
	ask(b, F_OFD_GETLK, 1000);
	SHOW(ofd(a, F_UNLCK, 0, 11));
	SHOW(ofd(a, F_UNLCK, 500, 0));
	ask(b, F_OFD_GETLK, 11);
	ask(b, F_OFD_GETLK, 500);
	SHOW(ofd(a, F_RDLCK, 0, 600));
	ask(b, F_OFD_GETLK, 599);
	SHOW(ofd(a, F_UNLCK, 0, 0));
	ask(b, F_OFD_GETLK, 11);
}

static void ranges(int fd, int other)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -4, .l_len = -2};

	SHOW(lseek(fd, 7, SEEK_SET));
	SHOW(fcntl(fd, F_OFD_SETLK, &l)); /* 4 and 5 of 10 */
	l.l_whence = SEEK_CUR;
	l.l_start = 1;
	l.l_len = 2;
	SHOW(fcntl(fd, F_OFD_SETLK, &l));
	ask(other, F_OFD_GETLK, 4);
	ask(other, F_OFD_GETLK, 6);
	ask(other, F_OFD_GETLK, 9);
	l = (struct flock){.l_type = F_WRLCK, .l_start = LONG_MAX, .l_len = 1};
	SHOW(fcntl(fd, F_OFD_SETLK, &l));
	ask(other, F_OFD_GETLK, LONG_MAX);
	l.l_len = 2;
	SHOW(fcntl(fd, F_OFD_SETLK, &l));
	l.l_whence = SEEK_CUR;
	SHOW(fcntl(fd, F_OFD_SETLK, &l));
	l = (struct flock){.l_type = F_WRLCK, .l_start = -1};
	SHOW(fcntl(fd, F_OFD_SETLK, &l));
	l.l_whence = 3;
	SHOW(fcntl(fd, F_OFD_SETLK, &l));
	l = (struct flock){.l_type = F_WRLCK, .l_pid = 1};
	SHOW(fcntl(fd, F_OFD_SETLK, &l));
	SHOW(fcntl(fd, F_OFD_SETLKW, &l));
	SHOW(fcntl(fd, F_OFD_GETLK, &l));
	SHOW(fcntl(fd, F_OFD_SETLK, BAD_PTR));
	SHOW(fcntl(fd, F_OFD_GETLK, BAD_PTR));
	SHOW(ofd(fd, 9, 0, 0));
	SHOW(ofd(fd, F_UNLCK, 0, 0));
}

/* Any close of the file drops the locks of the process, the last one of a description those of the description. */
static void closes(int a, int b)
{
	int c = open("file", O_RDONLY), d, path = open("file", O_PATH);

	SHOW(ofd(c, F_WRLCK, 0, 1));
	SHOW(ofd(c, F_RDLCK, 0, 5));
	SHOW(own(a, F_WRLCK, 5, 5));
	d = dup(c);
	SHOW(ofd(b, F_WRLCK, 0, 1));
	SHOW(ofd(b, F_WRLCK, 5, 1));
	SHOW(close(path));
	SHOW(ofd(b, F_WRLCK, 5, 1));
	SHOW(close(c));
	SHOW(ofd(b, F_WRLCK, 5, 1));
	SHOW(ofd(b, F_WRLCK, 0, 1));
	SHOW(ofd(d, F_UNLCK, 2, 1)); /* still the same description */
	SHOW(ofd(b, F_WRLCK, 2, 1));
	SHOW(close(d));
	SHOW(ofd(b, F_WRLCK, 0, 0));
	SHOW(ofd(b, F_UNLCK, 0, 0));
	SHOW(own(a, F_WRLCK, 0, 0));
	NEED((c = open("file", O_RDWR)) >= 0);
	SHOW(dup2(a, c) == c); /* closes the one that was there */
	SHOW(ofd(b, F_WRLCK, 0, 0));
	SHOW(ofd(b, F_UNLCK, 0, 0));
	SHOW(own(a, F_WRLCK, 0, 0));
	SHOW((int)syscall(436 /* close_range */, c, c, 0));
	SHOW(ofd(b, F_WRLCK, 0, 0));
	SHOW(ofd(b, F_UNLCK, 0, 0));
}

static void others(void)
{
	struct flock l = {.l_type = F_WRLCK};
	int p[2], s[2];

	NEED(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	SHOW(fcntl(p[1], F_OFD_SETLK, &l));
	SHOW(fcntl(p[0], F_OFD_SETLK, &l));
	SHOW(fcntl(s[0], F_OFD_SETLK, &l));
}

int main(void)
{
	int a = open("file", O_RDWR | O_CREAT, 0600), b = open("file", O_RDWR);

	NEED(a >= 0 && b >= 0 && write(a, "0123456789", 10) == 10);
	conflicts(a, b);
	parts(a, b);
	ranges(a, b);
	closes(a, b);
	others();
	return 0;
}
