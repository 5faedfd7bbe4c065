/* SPDX-License-Identifier: Apache-2.0 */
/* io_setup and its relatives: what is refused, in which order, and what is kept for the result. */
#include "tests/guest/guest.h"

#include <linux/aio_abi.h>

static aio_context_t ctx;
static char buf[64];

static long submit(int fd, int opcode, void *p, uint64_t n, int64_t offset)
{
	struct iocb cb = {.aio_fildes = (uint32_t)fd,
			    .aio_lio_opcode = (uint16_t)opcode,
			    .aio_buf = (uintptr_t)p,
			    .aio_nbytes = n,
			    .aio_offset = offset},
		    *list = &cb;

	return syscall(SYS_io_submit, ctx, 1L, &list);
}

static void contexts(void)
{
	aio_context_t other = 0, used = 5;
	char page[8192] __attribute__((aligned(4096))) = {0};

	SHOW(syscall(SYS_io_setup, 0, &other));
	SHOW(syscall(SYS_io_setup, 1, &used));
	SHOW(syscall(SYS_io_setup, 1, NULL));
	SHOW(syscall(SYS_io_setup, 1, BAD_PTR));
	SHOW(syscall(SYS_io_setup, 0, NULL));
	SHOW(syscall(SYS_io_setup, -1, &other));
	SHOW(syscall(SYS_io_setup, 0x7000000, &other));
	SHOW(syscall(SYS_io_destroy, 0L));
	SHOW(syscall(SYS_io_destroy, -1L));
	SHOW(syscall(SYS_io_destroy, page));
	SHOW(syscall(SYS_io_setup, 8, &ctx));
}

static void requests(void)
{
	int fd = open("file", O_CREAT | O_RDWR | O_TRUNC, 0600), r = open("file", O_RDONLY),
	    w = open("file", O_WRONLY), dir = open(".", O_RDONLY), p[2];
	struct iocb cb = {.aio_fildes = (uint32_t)fd}, *list[3] = {&cb, BAD_PTR, NULL};

	NEED(fd >= 0 && r >= 0 && w >= 0 && dir >= 0 && pipe(p) == 0);
	SHOW(submit(99, IOCB_CMD_PREAD, buf, 1, 0));
	SHOW(submit(-1, 99, buf, 1, 0));
	SHOW(submit(fd, 99, buf, 1, 0));
	SHOW(submit(fd, IOCB_CMD_NOOP, buf, 1, 0));
	SHOW(submit(r, IOCB_CMD_PWRITE, buf, 1, 0));
	SHOW(submit(w, IOCB_CMD_PREAD, buf, 1, 0));
	SHOW(submit(dir, IOCB_CMD_PREAD, buf, 1, 0));
	SHOW(submit(fd, IOCB_CMD_PREAD, buf, 1, -1));
	SHOW(submit(fd, IOCB_CMD_PREAD, buf, -1, 0));
	SHOW(submit(fd, IOCB_CMD_PREADV, buf, 1025, 0));
	SHOW(submit(fd, IOCB_CMD_PREADV, BAD_PTR, 1, 0));
	SHOW(submit(fd, IOCB_CMD_PREADV, BAD_PTR, 0, 0));
	SHOW(submit(fd, IOCB_CMD_FSYNC, buf, 0, 0));
	SHOW(submit(fd, IOCB_CMD_FSYNC, NULL, 0, 1));
	SHOW(submit(p[1], IOCB_CMD_FSYNC, NULL, 0, 0));

	cb.aio_reserved2 = 1;
	SHOW(syscall(SYS_io_submit, ctx, 1L, list));
	cb.aio_reserved2 = 0;
	cb.aio_rw_flags = 0x4000;
	SHOW(syscall(SYS_io_submit, ctx, 1L, list));
	cb.aio_rw_flags = 0;
	SHOW(syscall(SYS_io_submit, ctx, 0L, list));
	SHOW(syscall(SYS_io_submit, ctx, 0L, NULL));
	SHOW(syscall(SYS_io_submit, ctx, -1L, list));
	SHOW(syscall(SYS_io_submit, ctx, 1L, NULL));
	SHOW(syscall(SYS_io_submit, ctx, 1L, list + 1));
	SHOW(syscall(SYS_io_submit, 0L, 1L, list));
	SHOW(syscall(SYS_io_submit, ctx, 3L, list));
}

static void results(void)
{
	struct io_event event[4];
	struct timespec now = {0, 0}, bad = {0, 2000000000}, past = {-1, 0};
	struct iocb cb = {0};

	SHOW(syscall(SYS_io_getevents, 0L, 0L, 1L, event, &now));
	SHOW(syscall(SYS_io_getevents, ctx, 2L, 1L, event, &now));
	SHOW(syscall(SYS_io_getevents, ctx, -1L, 1L, event, &now));
	SHOW(syscall(SYS_io_getevents, ctx, 0L, -1L, event, &now));
	SHOW(syscall(SYS_io_getevents, 0L, 0L, 1L, event, BAD_PTR));
	SHOW(syscall(SYS_io_getevents, ctx, 0L, 1L, BAD_PTR, &now));
	SHOW(syscall(SYS_io_getevents, ctx, 1L, 1L, event, &now));
	SHOW(syscall(SYS_io_getevents, ctx, 0L, 0L, NULL, &now));
	SHOW(syscall(SYS_io_getevents, ctx, 0L, 0L, event, &bad));
	SHOW(syscall(SYS_io_getevents, ctx, 1L, 1L, event, &past));
	SHOW(syscall(SYS_io_pgetevents, ctx, 0L, 1L, event, &now, BAD_PTR));
	SHOW(syscall(SYS_io_pgetevents, ctx, 0L, 1L, event, &now, NULL));
	SHOW(syscall(SYS_io_cancel, ctx, BAD_PTR, event));
	SHOW(syscall(SYS_io_cancel, 0L, &cb, event));
	SHOW(syscall(SYS_io_cancel, ctx, &cb, event));
	cb.aio_key = 3;
	SHOW(syscall(SYS_io_cancel, ctx, &cb, event));
}

int main(void)
{
	contexts();
	requests();
	results();
	SHOW(syscall(SYS_io_destroy, ctx));
	return 0;
}
