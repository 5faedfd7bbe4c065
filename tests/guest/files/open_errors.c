/* SPDX-License-Identifier: Apache-2.0 */
/* What open refuses: names, flags, kinds. */
#include "tests/guest/guest.h"

int main(void)
{
	static char name[5000];

	NEED(mkdir("dir", 0700) == 0 && close(open("file", O_CREAT | O_RDWR, 0600)) == 0 &&
		symlink("loop", "loop") == 0 && symlink("nowhere", "dangling") == 0);
	SHOW(open("", O_RDONLY));
	SHOW(open("nowhere", O_RDONLY));
	SHOW(open("nowhere/x", O_RDONLY | O_CREAT, 0600));
	SHOW(open("file/x", O_RDONLY));
	SHOW(open("file/", O_RDONLY));
	SHOW(open("file", O_RDONLY | O_DIRECTORY));
	SHOW(open("dir", O_WRONLY));
	SHOW(open("dir", O_RDWR));
	SHOW(open("dir", O_RDONLY | O_CREAT, 0600));
	SHOW(open("newdir/", O_RDWR | O_CREAT, 0600));
	SHOW(open("file", O_RDWR | O_CREAT | O_EXCL, 0600));
	SHOW(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600));
	SHOW(open("dangling", O_RDONLY));
	SHOW(open("loop", O_RDONLY));
	SHOW(open("dangling", O_RDONLY | O_NOFOLLOW));
	memset(name, 'x', 256);
	SHOW(open(name, O_RDONLY));
	SHOW(open(name, O_RDWR | O_CREAT, 0600));
	memset(name, '/', 4999);
	SHOW(open(name, O_RDONLY));
	SHOW(openat(99, "file", O_RDONLY));
	SHOW(openat(STDIN_FILENO, "file", O_RDONLY));
	RAW(openat2, AT_FDCWD, "file", BAD_PTR, 24);
	RAW(openat2, AT_FDCWD, "file", name, 8);
	return 0;
}
