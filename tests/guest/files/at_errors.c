/* SPDX-License-Identifier: Apache-2.0 */
/* The *at calls: descriptors that are none, flags that are unknown, names that lead nowhere. */
#include "tests/guest/guest.h"

#include <sys/stat.h>

int main(void)
{
	struct stat st;
	char text[10];
	int file = open("file", O_RDWR | O_CREAT, 0600), dir;

	NEED(file >= 0 && mkdir("dir", 0700) == 0 && (dir = open("dir", O_RDONLY)) >= 0 &&
		symlink("file", "link") == 0);
	SHOW(fstatat(99, "file", &st, 0));
	SHOW(fstatat(file, "x", &st, 0));
	SHOW(fstatat(AT_FDCWD, "file", &st, 0x40000000));
	SHOW(fstatat(file, "", &st, AT_EMPTY_PATH));
	SHOW(fstatat(file, "", &st, 0));
	SHOW(mkdirat(99, "x", 0700));
	SHOW(mkdirat(file, "x", 0700));
	SHOW(mkdirat(AT_FDCWD, "dir", 0700));
	SHOW(mkdirat(AT_FDCWD, "", 0700));
	SHOW(unlinkat(AT_FDCWD, "dir", 0));
	SHOW(unlinkat(AT_FDCWD, "file", AT_REMOVEDIR));
	SHOW(unlinkat(AT_FDCWD, "nowhere", AT_REMOVEDIR));
	SHOW(unlinkat(AT_FDCWD, "file", 0x1000));
	SHOW(unlinkat(AT_FDCWD, ".", AT_REMOVEDIR));
	SHOW(unlinkat(AT_FDCWD, "dir/..", AT_REMOVEDIR));
	SHOW(readlinkat(AT_FDCWD, "file", text, 10));
	SHOW(readlinkat(AT_FDCWD, "link", text, 0));
	SHOW(readlinkat(AT_FDCWD, "link", text, 2));
	SHOW(symlinkat("", AT_FDCWD, "y"));
	SHOW(symlinkat("x", AT_FDCWD, "file"));
	SHOW(symlinkat("x", 99, "y"));
	SHOW(linkat(AT_FDCWD, "dir", AT_FDCWD, "y", 0));
	SHOW(linkat(AT_FDCWD, "file", AT_FDCWD, "link", 0));
	SHOW(linkat(AT_FDCWD, "file", AT_FDCWD, "y", 0x8000));
	SHOW(fchmodat(AT_FDCWD, "nowhere", 0600, 0));
	SHOW(fchownat(AT_FDCWD, "file", -1, -1, 0x8000));
	SHOW(faccessat(AT_FDCWD, "file", 8, 0));
	SHOW(faccessat(AT_FDCWD, "file", R_OK | W_OK, 0));
	RAW(renameat2, AT_FDCWD, "file", AT_FDCWD, "dir", 1);
	RAW(renameat2, AT_FDCWD, "file", AT_FDCWD, "dir", 3);
	RAW(renameat2, AT_FDCWD, "file", AT_FDCWD, "nowhere", 2);
	RAW(renameat2, AT_FDCWD, "file", AT_FDCWD, "dir", 0x80);
	RAW(renameat2, AT_FDCWD, "file", AT_FDCWD, "dir", 0);
	RAW(renameat2, AT_FDCWD, "dir", AT_FDCWD, "file", 0);
	RAW(renameat2, AT_FDCWD, "dir", AT_FDCWD, "dir/sub", 0);
	RAW(renameat2, AT_FDCWD, "file", AT_FDCWD, "dir", 2);
	SHOW(stat("dir", &st));
	say("%o\n", st.st_mode & S_IFMT);
	return 0;
}
