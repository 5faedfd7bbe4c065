/* SPDX-License-Identifier: Apache-2.0 */
/* unlink and rmdir: an open file lives on without a name; what is refused. */
#include "tests/guest/guest.h"

int main(void)
{
	char buf[16];
	struct stat st;
	int fd = open("file", O_RDWR | O_CREAT, 0600), again;

	SHOW(write(fd, "still here", 10));
	SHOW(unlink("file"));
	SHOW(unlink("file"));
	SHOW(open("file", O_RDONLY));
	SHOW(fstat(fd, &st));
	ASK(st.st_nlink == 0 && st.st_size == 10);
	again = open("file", O_RDWR | O_CREAT | O_EXCL, 0600);
	SHOW(read(again, buf, 16));
	SHOW(pread(fd, buf, 16, 0));
	ASK(memcmp(buf, "still here", 10) == 0);
	SHOW(pwrite(fd, "!", 1, 10));
	SHOW(ftruncate(fd, 4));
	SHOW(pread(fd, buf, 16, 0));
	SHOW(mkdir("dir", 0700));
	SHOW(mkdir("dir/sub", 0700));
	SHOW(unlink("dir"));
	SHOW(rmdir("file"));
	SHOW(rmdir("dir"));
	SHOW(rmdir("dir/sub/."));
	SHOW(rmdir("dir/sub/.."));
	SHOW(rmdir("missing"));
	SHOW(unlink("file/"));
	SHOW(unlink(""));
	SHOW(unlink("file/x"));
	SHOW(unlinkat(AT_FDCWD, "dir/sub", 0));
	SHOW(unlinkat(AT_FDCWD, "file", AT_REMOVEDIR));
	SHOW(unlinkat(AT_FDCWD, "file", 0x4000));
	SHOW(unlinkat(AT_FDCWD, "dir/sub", AT_REMOVEDIR));
	SHOW(rmdir("dir"));
	SHOW(rmdir("/"));
	NEED(mkdir("here", 0700) == 0 && chdir("here") == 0);
	SHOW(rmdir("../here"));
	SHOW(open("x", O_WRONLY | O_CREAT, 0600));
	SHOW(mkdir("x", 0700));
	SHOW_OK(syscall(SYS_getcwd, buf, sizeof(buf)));
	SHOW(chdir(".."));
	SHOW(stat("file", &st));
	return 0;
}
