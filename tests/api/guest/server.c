/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program of the test images, an ordinary static Linux program:
 *   server serve PORT [WORD...]   echoes what its clients send; exits with 7 when it is told to end
 *   server http PORT              answers every request with 200 and "hello", closing
 *   server serve6 PORT            the same as serve on [::], for IPv4 too; says where each client is
 *   server talk6 ADDRESS PORT N   sends N bytes to such a server at an IPv6 address and takes them back; says where it did so from
 *   server stubborn               does not end when told to
 *   server chatter BYTES          writes that much in lines, and waits until it is told to end
 *   server flood PORT             writes more than 16 MiB, and then serves PORT
 *   server show                   prints its arguments and environment, exits with 3
 *   server abort                  is ended by SIGABRT
 *   server folder RW RO           works in two shared folders, says what came of it, and waits
 *   server disk PATH WORD...      prints the word at the start of this disk, then writes WORD there; and so on with the next
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

extern char **environ;

static void told_to_end(int sig)
{
	static const char text[] = "told to end\n";

	(void)sig;
	_exit(write(1, text, sizeof(text) - 1) < 0 ? 8 : 7);
}

static int listen_at(const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0) {
		perror("listen");
		exit(1);
	}
	return fd;
}

static void echo(int fd)
{
	static char data[65536];
	ssize_t n, sent;

	while ((n = recv(fd, data, sizeof(data), 0)) > 0) {
		for (ssize_t at = 0; at < n; at += sent) {
			sent = send(fd, data + at, (size_t)(n - at), MSG_NOSIGNAL);
			if (sent < 0)
				return;
		}
	}
}

static void answer(int fd)
{
	static const char text[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
	char request[4096];

	if (recv(fd, request, sizeof(request), 0) > 0)
		send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
}

static void serve(const char *port, void (*with)(int fd))
{
	int fd;

	signal(SIGTERM, told_to_end); /* who listens is ready, and may be told to end */
	fd = listen_at(port);
	printf("serving\n");
	fflush(stdout);
	for (;;) {
		int client = accept(fd, NULL, NULL);

		if (client < 0)
			continue;
		with(client);
		close(client);
	}
}

static void say_where(const char *what, const struct sockaddr_in6 *at)
{
	char text[INET6_ADDRSTRLEN];

	printf("%s %s\n", what, inet_ntop(AF_INET6, &at->sin6_addr, text, sizeof(text)));
	fflush(stdout);
}

static void serve6(const char *port)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6,
				    .sin6_port = htons((uint16_t)atoi(port))},
			    from;
	int fd = socket(AF_INET6, SOCK_STREAM, 0), client;
	socklen_t len = sizeof(from);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0) {
		perror("listen");
		exit(1);
	}
	for (; (client = accept(fd, (struct sockaddr *)&from, &len)) >= 0; len = sizeof(from)) {
		say_where("client", &from);
		echo(client);
		close(client);
	}
	exit(1);
}

static int talk6(const char *address, const char *port, size_t n)
{
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	socklen_t len = sizeof(to);
	static char out[16384], in[16384];
	size_t sent = 0, got = 0, ahead = 8 * sizeof(out);

	memset(out, 'x', sizeof(out));
	if (inet_pton(AF_INET6, address, &to.sin6_addr) != 1 ||
		connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		printf("connect: %s\n", strerror(errno));
		return 1;
	}
	while (got < n) {
		size_t part = n - sent < sizeof(out) ? n - sent : sizeof(out);
		ssize_t r = sent - got < ahead && part > 0 ? send(fd, out, part, 0) : 0;

		if (r < 0)
			return 1;
		sent += (size_t)r;
		if (r > 0 && sent < n && sent - got < ahead)
			continue;
		r = recv(fd, in, sizeof(in), 0);
		if (r <= 0 || memcmp(in, out, (size_t)r) != 0)
			return 1;
		got += (size_t)r;
	}
	if (getsockname(fd, (struct sockaddr *)&to, &len) < 0)
		return 1;
	say_where("talked from", &to);
	return 0;
}

static void show(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		printf("arg=%s\n", argv[i]);
	for (char **e = environ; *e; e++)
		printf("env=%s\n", *e);
	exit(3);
}

static void chatter(long bytes)
{
	char line[64];

	signal(SIGTERM, told_to_end);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	for (; bytes > 0; bytes -= (long)sizeof(line))
		fwrite(line, 1, sizeof(line), stdout);
	fflush(stdout);
	for (;;)
		pause();
}

static void flood(const char *port)
{
	static char line[65536];

	memset(line, 'y', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	for (unsigned n = 0; n <= 17u * 1024 * 1024 / sizeof(line); n++) {
		for (size_t at = 0; at < sizeof(line);) {
			ssize_t w = write(1, line + at, sizeof(line) - at);

			if (w < 0)
				exit(1);
			at += (size_t)w;
		}
	}
	serve(port, echo);
}

static int disk(const char *path, const char *word)
{
	char old[16] = "", new[16] = "";
	int fd = open(path, O_RDWR), ro = fd < 0 && (errno == EACCES || errno == EROFS);

	if (ro)
		fd = open(path, O_RDONLY);
	strncpy(new, word, sizeof(new) - 1);
	if (fd < 0 || pread(fd, old, sizeof(old) - 1, 0) < 0) {
		perror(path);
		return 1;
	}
	printf("%s=%s%s\n", path, old, ro ? " (read-only)" : "");
	if (!ro && (pwrite(fd, new, sizeof(new), 0) != sizeof(new) || fsync(fd) < 0)) {
		perror(path);
		return 1;
	}
	close(fd);
	return 0;
}

static void said(const char *what, long value)
{
	printf("%s: %s\n", what, value < 0 ? strerror(errno) : "ok");
}

/* A file that is there for good: its data, then its name, then the folder. */
static void store(const char *folder, const char *text)
{
	int dir = open(folder, O_RDONLY | O_DIRECTORY), fd;
	ssize_t n = (ssize_t)strlen(text);

	fd = openat(dir, "new.tmp", O_WRONLY | O_CREAT | O_EXCL, 0640);
	said("create", fd);
	said("write", write(fd, text, (size_t)n) == n ? 0 : -1);
	said("sync", fsync(fd));
	said("rename", renameat(dir, "new.tmp", dir, "new"));
	said("sync folder", fsync(dir));
	close(fd);
	close(dir);
}

static void folder(const char *rw, const char *ro)
{
	char text[64] = "";
	int fd;

	if (chdir(rw) < 0)
		exit(1);
	fd = open("greeting", O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		exit(1);
	printf("greeting: %s\n", text);
	store(rw, "durable");
	said("absolute link", open("absolute", O_RDONLY));
	said("relative link", open("relative", O_RDONLY));
	said("link as folder", open("up/passwd", O_RDONLY));
	said("above", open("../etc/passwd", O_RDONLY));
	said("fifo", mkfifo("fifo", 0600));
	said("device", mknod("device", S_IFCHR | 0600, makedev(1, 3)));
	said("set-user-id", chmod("new", 04755));
	said("owner", chown("new", 1000, 1000));
	if (chdir(ro) < 0)
		exit(1);
	said("read-only: read", open("greeting", O_RDONLY));
	said("read-only: write", open("greeting", O_WRONLY));
	said("read-only: create", open("other", O_WRONLY | O_CREAT, 0600));
	said("read-only: unlink", unlink("greeting"));
	said("read-only: mkdir", mkdir("folder", 0700));
	printf("stored\n");
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "serve") == 0 && argc > 2)
		serve(argv[2], echo);
	else if (strcmp(what, "http") == 0 && argc > 2)
		serve(argv[2], answer);
	else if (strcmp(what, "serve6") == 0 && argc > 2)
		serve6(argv[2]);
	else if (strcmp(what, "talk6") == 0 && argc > 4)
		return talk6(argv[2], argv[3], (size_t)atol(argv[4]));
	else if (strcmp(what, "chatter") == 0 && argc > 2)
		chatter(atol(argv[2]));
	else if (strcmp(what, "flood") == 0 && argc > 2)
		flood(argv[2]);
	else if (strcmp(what, "show") == 0)
		show(argc, argv);
	else if (strcmp(what, "folder") == 0 && argc > 3)
		folder(argv[2], argv[3]);
	else if (strcmp(what, "disk") == 0) {
		int r = 0;

		for (int i = 2; i + 1 < argc; i += 2)
			r |= disk(argv[i], argv[i + 1]);
		return r;
	} else if (strcmp(what, "abort") == 0)
		abort();
	else if (strcmp(what, "lacks") == 0) {
		printf("bpf: %ld\n", syscall(SYS_bpf, 0, NULL, 0));
		fflush(stdout);
		for (;;)
			pause();
	} else if (strcmp(what, "stubborn") == 0) {
		signal(SIGTERM, SIG_IGN);
		printf("ready\n");
		fflush(stdout);
		for (;;)
			pause();
	}
	return 2;
}
