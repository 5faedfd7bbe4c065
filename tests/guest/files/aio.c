/* SPDX-License-Identifier: Apache-2.0 */
/* io_setup, io_submit, io_getevents, io_destroy: transfers, vectors, syncs, an eventfd that is told, what waits for results. */
#include "tests/guest/guest.h"

#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#define SIZE 8192

static aio_context_t ctx;
static char out[SIZE], in[SIZE];

static struct iocb request(int fd, int opcode, void *buf, uint64_t n, int64_t offset)
{
	return (struct iocb){.aio_fildes = (uint32_t)fd,
		.aio_lio_opcode = (uint16_t)opcode,
		.aio_buf = (uintptr_t)buf,
		.aio_nbytes = n,
		.aio_offset = offset,
		.aio_data = 7};
}

static long submit(struct iocb *cb)
{
	return syscall(SYS_io_submit, ctx, 1L, &cb);
}

/* At most n results, in the order of their requests; which one it is of tells its place in first[]. */
static void results(long min, long n, struct timespec *limit, struct iocb *first)
{
	struct io_event event[4];
	long got = syscall(SYS_io_getevents, ctx, min, n, event, limit);

	say("%ld results\n", got);
	for (long i = 0; i < got; i++)
		say("  data %d request %d: %lld %lld\n", (int)event[i].data,
			(int)((struct iocb *)(uintptr_t)event[i].obj - first),
			(long long)event[i].res, (long long)event[i].res2);
}

static void transfers(int fd)
{
	struct timespec now = {0, 0};
	struct iovec v[2] = {{in, 3}, {in + 100, 4}};
	struct iocb cb[4] = {request(fd, IOCB_CMD_PWRITE, out, SIZE, 0),
		request(fd, IOCB_CMD_PREAD, in, SIZE, 0), request(fd, IOCB_CMD_FSYNC, NULL, 0, 0),
		request(fd, IOCB_CMD_FDSYNC, NULL, 0, 0)};
	struct iocb *list[4] = {&cb[0], &cb[1], &cb[2], &cb[3]};

	SHOW(syscall(SYS_io_submit, ctx, 2L, list));
	results(2, 4, NULL, cb);
	ASK(memcmp(in, out, SIZE) == 0);
	results(0, 4, NULL, cb);
	results(1, 4, &now, cb);
	for (int i = 2; i < 4;
		i++) { /* Linux makes them wait elsewhere: two at a time have no order */
		SHOW(submit(list[i]));
		results(1, 2, NULL, cb);
	}
	SHOW(lseek(fd, 0, SEEK_CUR));

	cb[0] = request(fd, IOCB_CMD_PREADV, v, 2, 4000);
	SHOW(submit(&cb[0]));
	results(1, 1, NULL, cb);
	ASK(memcmp(in, out + 4000, 3) == 0 && memcmp(in + 100, out + 4003, 4) == 0);
	cb[1] = request(fd, IOCB_CMD_PREAD, in, SIZE, SIZE - 10);
	SHOW(submit(&cb[1]));
	cb[0] = request(fd, IOCB_CMD_PREAD, in, SIZE, 2l * SIZE);
	SHOW(submit(&cb[0]));
	results(2, 3, NULL, cb);
	v[0] = (struct iovec){out, 5};
	cb[0] = request(fd, IOCB_CMD_PWRITEV, v, 1, SIZE);
	SHOW(submit(&cb[0]));
	results(1, 1, NULL, cb);
	SHOW(lseek(fd, 0, SEEK_END));
	cb[0] = request(fd, IOCB_CMD_PREAD, BAD_PTR, 10, 0);
	SHOW(submit(&cb[0]));
	results(1, 1, NULL, cb);
}

/* A request names an eventfd, by which a program that polls hears of its end. */
static void told(int fd)
{
	int e = eventfd(0, EFD_NONBLOCK), p[2];
	struct pollfd pfd = {.fd = e, .events = POLLIN};
	struct iocb cb = request(fd, IOCB_CMD_PREAD, in, 100, 0);
	uint64_t n;

	NEED(e >= 0 && pipe(p) == 0);
	cb.aio_flags = IOCB_FLAG_RESFD;
	cb.aio_resfd = (uint32_t)e;
	SHOW(poll(&pfd, 1, 0));
	SHOW(submit(&cb));
	SHOW(submit(&cb));
	SHOW(poll(&pfd, 1, -1));
	SHOW(read(e, &n, sizeof(n)));
	say("told %d times\n", (int)n);
	results(2, 2, NULL, &cb);
	cb.aio_resfd = (uint32_t)p[0];
	SHOW(submit(&cb));
	cb.aio_resfd = 99;
	SHOW(submit(&cb));
	NEED(write(p[1], "abcde", 5) == 5);
	cb = request(p[0], IOCB_CMD_PREAD, in, 100, 0);
	SHOW(submit(&cb));
	results(1, 1, NULL, &cb);
}

static void *reader(void *arg)
{
	results(1, 4, NULL, arg);
	return NULL;
}

/* Who waits for a result gets it from another thread's request. */
static void threads(int fd)
{
	struct iocb cb = request(fd, IOCB_CMD_PREAD, in, 64, 0);
	pthread_t t = start_thread(reader, &cb);

	NEED(submit(&cb) == 1);
	NEED(pthread_join(t, NULL) == 0);
}

static void interrupt(int signo, siginfo_t *info, void *context) {}

static void interrupted(void)
{
	struct io_event event;
	struct itimerspec soon = {{0, 1000000}, {0, 1000000}};
	timer_t timer;

	on_signal(SIGALRM, interrupt, SA_RESTART);
	NEED(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
	NEED(timer_settime(timer, 0, &soon, NULL) == 0);
	SHOW(syscall(SYS_io_getevents, ctx, 1L, 1L, &event, NULL));
	NEED(timer_delete(timer) == 0);
}

int main(void)
{
	int fd = open("file", O_CREAT | O_RDWR | O_TRUNC, 0600);

	NEED(fd >= 0);
	fill_pattern(out, SIZE, 5);
	SHOW(syscall(SYS_io_setup, 4, &ctx));
	ASK(ctx != 0);
	transfers(fd);
	told(fd);
	threads(fd);
	interrupted();
	SHOW(syscall(SYS_io_destroy, ctx));
	SHOW(syscall(SYS_io_destroy, ctx));
	return 0;
}
