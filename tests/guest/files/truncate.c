/* SPDX-License-Identifier: Apache-2.0 */
/* truncate and ftruncate: shrink, grow with zeros, sparse sizes, refusals. */
#include "tests/guest/guest.h"

static long size_of(const char *name)
{
	struct stat st;

	return stat(name, &st) < 0 ? -1 : (long)st.st_size;
}

int main(void)
{
	static char buf[10000];
	struct stat st;
	int fd = open("file", O_RDWR | O_CREAT, 0600), ro;

	memset(buf, 'd', sizeof(buf));
	NEED(write(fd, buf, sizeof(buf)) == sizeof(buf) && mkdir("dir", 0700) == 0);
	ro = open("file", O_RDONLY);
	SHOW(ftruncate(fd, 5000));
	SHOW(size_of("file"));
	SHOW(ftruncate(fd, 10000));
	SHOW(pread(fd, buf, 10000, 0));
	ASK(all_bytes(buf, 5000, 'd') && all_bytes(buf + 5000, 5000, 0));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(truncate("file", 3));
	SHOW(size_of("file"));
	SHOW(write(fd, "x", 1));
	SHOW(size_of("file"));
	SHOW(ftruncate(fd, -1));
	SHOW(truncate("file", -1));
	SHOW(ftruncate(ro, 1));
	SHOW(ftruncate(999, 1));
	SHOW(truncate("missing", 1));
	SHOW(truncate("dir", 1));
	SHOW(truncate("file/x", 1));
	SHOW(ftruncate(fd, 1l << 34));
	SHOW(fstat(fd, &st));
	ASK(st.st_size == 1l << 34 && st.st_blocks < 1000);
	SHOW(pread(fd, buf, 10, (1l << 34) - 5));
	SHOW(pwrite(fd, "far", 3, 1l << 33));
	SHOW(pread(fd, buf, 10, (1l << 33) - 2));
	ASK(memcmp(buf, "\0\0far\0\0\0\0\0", 10) == 0);
	SHOW(ftruncate(fd, 0));
	SHOW(fstat(fd, &st));
	ASK(st.st_size == 0 && st.st_blocks == 0);
	return 0;
}
