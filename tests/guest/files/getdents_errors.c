/* SPDX-License-Identifier: Apache-2.0 */
/* getdents64: small buffers, wrong descriptors, a folder that has gone, offsets. */
#include "tests/guest/guest.h"

#include <dirent.h>

int main(void)
{
	static char b[4096];
	int fd, f = open("file", O_CREAT | O_RDWR, 0600), gone, path;

	NEED(mkdir("dir", 0700) == 0 && mkdir("gone", 0700) == 0);
	fd = open("dir", O_RDONLY);
	gone = open("gone", O_RDONLY);
	path = open("dir", O_PATH);
	NEED(rmdir("gone") == 0 && f > 0);
	RAW(getdents64, fd, b, 0);
	RAW(getdents64, fd, b, 10);
	SHOW(syscall(SYS_getdents64, fd, b, 24));
	SHOW(syscall(SYS_getdents64, fd, b, sizeof(b)));
	RAW(getdents64, fd, b, sizeof(b));
	SHOW(lseek(fd, 0, SEEK_SET));
	RAW(getdents64, fd, BAD_PTR, sizeof(b));
	SHOW(syscall(SYS_getdents64, fd, b, sizeof(b)));
	RAW(getdents64, f, b, sizeof(b));
	RAW(getdents64, path, b, sizeof(b));
	RAW(getdents64, 99, b, sizeof(b));
	SHOW(syscall(SYS_getdents64, gone, b, sizeof(b)));
	SHOW(read(fd, b, 10));
	SHOW(openat(gone, "x", O_CREAT | O_RDWR, 0600));
	SHOW(openat(gone, "..", O_RDONLY) >= -1);
	SHOW(fchdir(f));
	SHOW(fchdir(99));
	SHOW(fchdir(path));
	SHOW(access("../file", F_OK));
	return 0;
}
