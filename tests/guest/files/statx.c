/* SPDX-License-Identifier: Apache-2.0 */
/* statx: the basic fields agree with stat. */
#include "tests/guest/guest.h"

int main(void)
{
	struct statx stx;
	struct stat st;
	int fd = open("file", O_RDWR | O_CREAT, 0640);

	NEED(write(fd, "hello", 5) == 5 && fstat(fd, &st) == 0);
	SHOW(statx(AT_FDCWD, "file", 0, STATX_BASIC_STATS, &stx));
	ASK((stx.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	ASK(stx.stx_size == 5 && stx.stx_ino == st.st_ino && stx.stx_nlink == 1 &&
		stx.stx_mode == st.st_mode);
	ASK(stx.stx_mtime.tv_sec == st.st_mtim.tv_sec &&
		stx.stx_mtime.tv_nsec == st.st_mtim.tv_nsec);
	ASK(stx.stx_blksize >= 512 && stx.stx_blocks == (uint64_t)st.st_blocks);
	SHOW(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &stx));
	SHOW(statx(fd, "", 0, STATX_SIZE, &stx));
	SHOW(statx(AT_FDCWD, "missing", 0, STATX_SIZE, &stx));
	SHOW(statx(AT_FDCWD, "file", 0x40000000, STATX_SIZE, &stx));
	SHOW(statx(AT_FDCWD, "file", 0, 0x80000000, &stx));
	return 0;
}
