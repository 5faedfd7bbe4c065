/* SPDX-License-Identifier: Apache-2.0 */
/* A block device as a file: its node, size, positions, parts of sectors, O_DIRECT, ioctls, the end. argv[1]: the node, of 1 MiB, zero. */
#include "tests/guest/guest.h"

#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/uio.h>

#ifndef BLKZEROOUT
#define BLKZEROOUT 0x127f /* linux/fs.h, which musl has not */
#endif

static unsigned char buf[1 << 20] __attribute__((aligned(4096)));

static void show_node(const char *path, int fd)
{
	struct stat st;
	uint64_t bytes = 0;
	int value = -1;

	NEED(stat(path, &st) == 0);
	ASK(S_ISBLK(st.st_mode) && st.st_rdev != 0 && st.st_size == 0);
	SHOW(ioctl(fd, BLKGETSIZE64, &bytes));
	say("%llu bytes\n", (unsigned long long)bytes);
	SHOW(ioctl(fd, BLKSSZGET, &value));
	say("sectors of %d\n", value);
	SHOW(ioctl(fd, BLKROGET, &value));
	say("read-only %d\n", value);
	SHOW(ioctl(fd, BLKFLSBUF, 0));
	SHOW(ioctl(fd, BLKGETSIZE64, BAD_PTR));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(lseek(fd, -1, SEEK_SET));
	SHOW(lseek(fd, 100, SEEK_SET));
}

static void parts_of_sectors(int fd)
{
	struct iovec v[3] = {{buf, 3}, {buf + 100, 600}, {buf + 5000, 5}};

	fill_pattern(buf, 6000, 7);
	SHOW(pwrite(fd, "hello", 5, 510));
	SHOW(pwritev(fd, v, 3, 5000));
	SHOW(pread(fd, buf + 10000, 8, 508));
	ASK(memcmp(buf + 10000, "\0\0hello", 8) == 0);
	SHOW(pread(fd, buf + 10000, 608, 5000));
	ASK(memcmp(buf + 10000, buf, 3) == 0 && memcmp(buf + 10003, buf + 100, 600) == 0 &&
		memcmp(buf + 10603, buf + 5000, 5) == 0);
	SHOW(pread(fd, buf + 10000, 4096, 1024));
	ASK(all_bytes(buf + 10000, 5000 - 1024, 0));
}

static void whole(int fd)
{
	static unsigned char again[sizeof(buf)];

	fill_pattern(buf, sizeof(buf), 42);
	SHOW(pwrite(fd, buf, sizeof(buf), 0));
	SHOW(fsync(fd));
	SHOW(fdatasync(fd));
	SHOW(pread(fd, again, sizeof(again), 0));
	ASK(memcmp(buf, again, sizeof(buf)) == 0);
	SHOW(pread(fd, again, 4096, sizeof(buf) - 100));
	SHOW(pread(fd, again, 4096, sizeof(buf)));
	SHOW(pwrite(fd, buf, 4096, sizeof(buf) - 100));
	SHOW(pwrite(fd, buf, 1, sizeof(buf)));
	RAW(pwrite64, fd, BAD_PTR, 512, 0);
	RAW(pread64, fd, BAD_PTR, 512, 0);
	SHOW(ftruncate(fd, 4096));
	SHOW(lseek(fd, 512, SEEK_SET));
	SHOW(read(fd, again, 100));
	SHOW(lseek(fd, 0, SEEK_CUR));
	ASK(memcmp(buf + 512, again, 100) == 0);
}

static void direct(const char *path)
{
	int fd = open(path, O_RDWR | O_DIRECT);

	ASK(fd >= 0);
	SHOW(pread(fd, buf, 4096, 512));
	SHOW(pread(fd, buf, 4096, 511));
	SHOW(pread(fd, buf, 100, 512));
	SHOW(pwrite(fd, buf, 512, 1024));
	SHOW(pwrite(fd, buf, 513, 1024));
	close(fd);
	fd = open(path, O_RDONLY);
	SHOW(pwrite(fd, buf, 512, 0));
	close(fd);
}

static void *write_odd(void *arg)
{
	int fd = *(int *)arg;

	for (unsigned i = 1; i < 200; i += 2)
		NEED(pwrite(fd, "o", 1, 8192 + i) == 1);
	return NULL;
}

/* Two threads write the bytes of one sector in turn: none is lost. */
static void neighbours(int fd)
{
	pthread_t thread = start_thread(write_odd, &fd);

	for (unsigned i = 0; i < 200; i += 2)
		NEED(pwrite(fd, "e", 1, 8192 + i) == 1);
	pthread_join(thread, NULL);
	SHOW(pread(fd, buf, 200, 8192));
	for (unsigned i = 0; i < 200; i++)
		NEED(buf[i] == (i % 2 ? 'o' : 'e'));
}

static void zero_out(int fd)
{
	uint64_t range[2] = {4096, 8192}, odd[2] = {100, 512}, beyond[2] = {1 << 20, 512};

	SHOW(ioctl(fd, BLKZEROOUT, range));
	SHOW(ioctl(fd, BLKZEROOUT, odd));
	SHOW(ioctl(fd, BLKZEROOUT, beyond));
	SHOW(pread(fd, buf, 8192, 4096));
	ASK(all_bytes(buf, 8192, 0));
}

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDWR) : -1;

	ASK(fd >= 0);
	show_node(argv[1], fd);
	parts_of_sectors(fd);
	whole(fd);
	direct(argv[1]);
	neighbours(fd);
	zero_out(fd);
	SHOW(close(fd));
	return 0;
}
