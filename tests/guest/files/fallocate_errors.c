/* SPDX-License-Identifier: Apache-2.0 */
/* fallocate, posix_fadvise, sync_file_range: flags and files that are refused. */
#include "tests/guest/guest.h"

int main(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600), ro = open("file", O_RDONLY), p[2],
	    dir = open(".", O_RDONLY);

	NEED(pipe(p) == 0);
	SHOW(fallocate(fd, 0, 0, 0));
	SHOW(fallocate(fd, 0, -1, 10));
	SHOW(fallocate(fd, 0, 0, -10));
	SHOW(fallocate(ro, 0, 0, 10));
	SHOW(fallocate(99, 0, 0, 10));
	SHOW(fallocate(p[1], 0, 0, 10));
	SHOW(fallocate(dir, 0, 0, 10));
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10));
	SHOW(fallocate(fd, 0x1000, 0, 10));
	SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10000));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(fallocate(fd, 0, 0, 10000));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW_ERR(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	SHOW_ERR(posix_fadvise(fd, 0, 0, 77));
	SHOW_ERR(posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL));
	SHOW_ERR(posix_fadvise(99, 0, 0, POSIX_FADV_NORMAL));
	SHOW(sync_file_range(fd, 0, 0, 0));
	SHOW(sync_file_range(fd, -1, 0, 0));
	SHOW(sync_file_range(fd, 0, 0, 0x100));
	SHOW(readahead(fd, 0, 10));
	SHOW(readahead(p[0], 0, 10));
	return 0;
}
