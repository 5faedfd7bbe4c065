/* SPDX-License-Identifier: Apache-2.0 */
/* splice, tee, vmsplice: errors first, then every direction, with offsets, limits and threads that wait. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int p[2], q[2], s[2], file;
static char buf[65536] __attribute__((aligned(4096))), back[65536];

static void errors(void)
{
	int rd = open("spliced", O_RDONLY), ap = open("spliced", O_WRONLY | O_APPEND),
	    dir = open(".", O_RDONLY);
	loff_t off = 0, minus = -1;

	SHOW(splice(-1, NULL, -1, NULL, 0, 0));
	SHOW(splice(-1, NULL, p[1], NULL, 1, 0));
	SHOW(splice(p[0], NULL, -1, NULL, 1, 0));
	SHOW(splice(p[0], NULL, file, NULL, 1, 0x80));
	SHOW(splice(file, NULL, file, NULL, 1, 0));
	SHOW(splice(p[0], NULL, p[1], NULL, 1, 0));
	SHOW(splice(p[0], &off, file, NULL, 1, 0));
	SHOW(splice(file, NULL, p[1], &off, 1, 0));
	SHOW(splice(file, BAD_PTR, p[1], NULL, 1, 0));
	SHOW(splice(file, &minus, p[1], NULL, 1, 0));
	SHOW(splice(s[0], &off, p[1], NULL, 1, 0) < 0);
	SHOW(splice(p[1], NULL, file, NULL, 1, 0));
	SHOW(splice(p[0], NULL, rd, NULL, 1, 0));
	SHOW(splice(ap, NULL, p[1], NULL, 1, 0));
	SHOW(splice(dir, NULL, p[1], NULL, 1, 0) < 0);
	SHOW(write(p[1], "x", 1));
	SHOW(splice(p[0], NULL, ap, NULL, 1, 0));
	SHOW(read(p[0], back, 10));
	SHOW(tee(p[0], p[1], 1, 0));
	SHOW(tee(file, p[1], 1, 0));
	SHOW(tee(p[0], file, 1, 0));
	SHOW(tee(p[0], q[1], 0, 0x80));
	SHOW(tee(p[0], q[1], 1, 0x80));
	SHOW(tee(p[1], q[1], 1, 0));
	SHOW(tee(p[0], q[1], 1, SPLICE_F_NONBLOCK));
	SHOW(vmsplice(-1, NULL, 0, 0));
	SHOW(vmsplice(file, &(struct iovec){buf, 1}, 1, 0));
	SHOW(vmsplice(p[1], &(struct iovec){buf, 1}, 1, 0x80));
	SHOW(vmsplice(p[1], &(struct iovec){buf, 1}, 1025, 0));
	SHOW(vmsplice(p[1], BAD_PTR, 1, 0));
	SHOW(vmsplice(p[1], &(struct iovec){buf, 0}, 1, 0));
	SHOW(vmsplice(p[0], &(struct iovec){buf, 1}, 1, SPLICE_F_NONBLOCK));
	close(rd);
	close(ap);
	close(dir);
}

static void file_and_pipe(void)
{
	loff_t off = 100;

	say("-- file to pipe\n");
	SHOW(lseek(file, 0, SEEK_SET));
	SHOW(splice(file, NULL, p[1], NULL, 1000, 0));
	SHOW(lseek(file, 0, SEEK_CUR));
	SHOW(splice(file, &off, p[1], NULL, 1000, 0));
	SHOW(off);
	SHOW(lseek(file, 0, SEEK_CUR));
	SHOW(read(p[0], back, sizeof(back)));
	ASK(!memcmp(back, buf, 1000) && !memcmp(back + 1000, buf + 100, 1000));
	off = 40000;
	SHOW(splice(file, &off, p[1], NULL, 1000, 0));
	say("-- pipe to file\n");
	SHOW(write(p[1], buf, 5000));
	off = 3;
	SHOW(splice(p[0], NULL, file, &off, 2000, 0));
	SHOW(off);
	SHOW(splice(p[0], NULL, file, &off, 60000, 0));
	SHOW(splice(p[0], NULL, file, &off, 1, SPLICE_F_NONBLOCK));
	SHOW(pread(file, back, 5000, 3));
	ASK(!memcmp(back, buf, 5000));
	SHOW(lseek(file, 10, SEEK_SET));
	SHOW(write(p[1], "0123456789", 10));
	SHOW(splice(p[0], NULL, file, NULL, 4, 0));
	SHOW(lseek(file, 0, SEEK_CUR));
	SHOW(read(p[0], back, 100));
	say("%.6s\n", back);
}

static void pipes(void)
{
	say("-- pipe to pipe\n");
	SHOW(write(p[1], "abcdef", 6));
	SHOW(tee(p[0], q[1], 4, 0));
	SHOW(tee(p[0], q[1], 100, 0));
	SHOW(read(q[0], back, 100));
	say("%.10s\n", back);
	SHOW(splice(p[0], NULL, q[1], NULL, 2, 0));
	SHOW(splice(p[0], NULL, q[1], NULL, 100, 0));
	SHOW(splice(p[0], NULL, q[1], NULL, 100, SPLICE_F_NONBLOCK));
	SHOW(read(q[0], back, 100));
	say("%.6s\n", back);
	say("-- vmsplice\n");
	memcpy(back, "hello world", 11);
	SHOW(vmsplice(p[1], ((struct iovec[]){{back, 6}, {back + 6, 5}}), 2, 0));
	SHOW(vmsplice(p[0], ((struct iovec[]){{back, 3}, {back + 100, 50}}), 2, 0));
	say("%.3s|%.8s\n", back, back + 100);
	SHOW(vmsplice(p[1], &(struct iovec){buf, sizeof(buf)}, 1, 0));
	SHOW(vmsplice(p[1], &(struct iovec){buf, 1}, 1, SPLICE_F_NONBLOCK));
	SHOW(splice(file, NULL, p[1], NULL, 1, SPLICE_F_NONBLOCK));
	SHOW(read(p[0], back, sizeof(back)));
	ASK(!memcmp(back, buf, sizeof(buf)));
}

static void *write_later(void *arg)
{
	struct pollfd none = {-1};

	poll(&none, 1, 20);
	NEED(write(*(int *)arg, "later", 5) == 5);
	return NULL;
}

static void sockets(void)
{
	pthread_t t;

	say("-- sockets\n");
	SHOW(write(s[1], "from a socket", 13));
	SHOW(splice(s[0], NULL, p[1], NULL, 4096, 0));
	SHOW(splice(p[0], NULL, s[0], NULL, 4096, 0));
	SHOW(read(s[1], back, 100));
	say("%.13s\n", back);
	t = start_thread(write_later, &s[1]);
	SHOW(splice(s[0], NULL, p[1], NULL, 4096, 0));
	pthread_join(t, NULL);
	SHOW(read(p[0], back, 100));
	t = start_thread(write_later, &p[1]);
	SHOW(splice(p[0], NULL, s[0], NULL, 4096, 0));
	pthread_join(t, NULL);
	SHOW(read(s[1], back, 100));
	NEED(shutdown(s[1], SHUT_WR) == 0);
	SHOW(splice(s[0], NULL, p[1], NULL, 4096, 0));
	NEED(close(p[1]) == 0);
	SHOW(splice(p[0], NULL, file, NULL, 4096, 0));
	NEED(close(q[0]) == 0);
	signal(SIGPIPE, SIG_IGN);
	SHOW(lseek(file, 0, SEEK_SET));
	SHOW(splice(file, NULL, q[1], NULL, 4096, 0));
}

int main(void)
{
	NEED(pipe(p) == 0 && pipe(q) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	file = open("spliced", O_RDWR | O_CREAT | O_TRUNC, 0600);
	fill_pattern(buf, sizeof(buf), 1);
	NEED(file >= 0 && write(file, buf, 40000) == 40000);
	errors();
	file_and_pipe();
	pipes();
	sockets();
	NEED(unlink("spliced") == 0);
	return 0;
}
