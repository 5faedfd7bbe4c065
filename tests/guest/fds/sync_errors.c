/* SPDX-License-Identifier: Apache-2.0 */
/* fsync, fdatasync, syncfs, sync_file_range, posix_fadvise, readahead: kinds and ranges. */
#include "tests/guest/guest.h"

int main(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600), p[2], path = open("file", O_PATH),
	    dir = open(".", O_RDONLY);

	NEED(pipe(p) == 0 && write(fd, "abc", 3) == 3);
	SHOW(fsync(fd));
	SHOW(fdatasync(fd));
	SHOW(fsync(dir));
	SHOW(fsync(p[0]));
	SHOW(fdatasync(p[1]));
	SHOW(fsync(path));
	SHOW(fsync(99));
	SHOW(fdatasync(-1));
	SHOW(syncfs(fd));
	SHOW(syncfs(99));
	SHOW(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
	SHOW(sync_file_range(fd, 0, 0, 99));
	SHOW(sync_file_range(fd, -1, 0, SYNC_FILE_RANGE_WRITE));
	SHOW(sync_file_range(99, 0, 0, SYNC_FILE_RANGE_WRITE));
	SHOW_ERR(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
	SHOW_ERR(posix_fadvise(fd, 0, 0, 99));
	SHOW_ERR(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL));
	SHOW_ERR(posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL));
	SHOW_ERR(posix_fadvise(99, 0, 0, POSIX_FADV_NORMAL));
	return 0;
}
