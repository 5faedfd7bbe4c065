/* SPDX-License-Identifier: Apache-2.0 */
/* read, write, lseek and their vectors: what is refused. */
#include "tests/guest/guest.h"

#include <sys/uio.h>

int main(void)
{
	char b[16];
	struct iovec v[2] = {{b, 8}, {b, (size_t)-1}};
	int ro, wo, dir = open(".", O_RDONLY), p[2];

	NEED(close(open("file", O_RDWR | O_CREAT, 0600)) == 0 && pipe(p) == 0);
	ro = open("file", O_RDONLY);
	wo = open("file", O_WRONLY);
	SHOW(read(99, b, 1));
	SHOW(read(wo, b, 1));
	SHOW(write(ro, b, 1));
	SHOW(read(dir, b, 1));
	SHOW(write(99, b, 1));
	SHOW(read(open(".", O_PATH), b, 1));
	SHOW(pread(p[0], b, 1, 0));
	SHOW(pwrite(p[1], b, 1, 0));
	SHOW(pread(ro, b, 1, -1));
	SHOW(pwrite(wo, b, 1, -1));
	SHOW(readv(ro, v, 2));
	RAW(readv, ro, v, -1);
	RAW(readv, ro, v, 1025);
	SHOW(readv(ro, v, 0));
	SHOW(writev(wo, v, 0));
	SHOW(lseek(99, 0, SEEK_SET));
	SHOW(lseek(p[0], 0, SEEK_SET));
	SHOW(lseek(ro, -1, SEEK_SET));
	SHOW(lseek(ro, 0, 9));
	SHOW(lseek(ro, 0, SEEK_DATA));
	SHOW(lseek(ro, 5, SEEK_HOLE));
	SHOW(ftruncate(ro, 0));
	SHOW(ftruncate(wo, -1));
	SHOW(ftruncate(p[1], 0));
	SHOW(truncate(".", 0));
	SHOW(truncate("nowhere", 0));
	SHOW(fsync(p[0]));
	SHOW(fsync(99));
	SHOW(fdatasync(ro));
	RAW(preadv2, ro, v, 1, 0, 0x1000);
	RAW(preadv2, ro, v, 1, 0, 8);
	return 0;
}
