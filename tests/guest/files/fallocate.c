/* SPDX-License-Identifier: Apache-2.0 */
/* fallocate: growing, keeping the size, punching holes. */
#include "tests/guest/guest.h"

int main(void)
{
	static char buf[20000];
	struct stat st;
	int fd = open("file", O_RDWR | O_CREAT, 0600), ro = open("file", O_RDONLY);

	SHOW(fallocate(fd, 0, 0, 20000));
	NEED(fstat(fd, &st) == 0);
	SHOW(st.st_size);
	memset(buf, 'f', sizeof(buf));
	SHOW(pwrite(fd, buf, sizeof(buf), 0));
	SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 40000));
	NEED(fstat(fd, &st) == 0);
	SHOW(st.st_size);
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 10000));
	SHOW(pread(fd, buf, sizeof(buf), 0));
	ASK(all_bytes(buf, 100, 'f') && all_bytes(buf + 100, 10000, 0) &&
		all_bytes(buf + 10100, 9900, 'f'));
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10));
	SHOW(fallocate(fd, 0, -1, 10));
	SHOW(fallocate(fd, 0, 0, 0));
	SHOW(fallocate(ro, 0, 0, 10));
	SHOW(fallocate(999, 0, 0, 10));
	SHOW(posix_fallocate(fd, 0, 30000));
	NEED(fstat(fd, &st) == 0);
	SHOW(st.st_size);
	return 0;
}
