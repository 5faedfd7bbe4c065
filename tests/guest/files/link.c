/* SPDX-License-Identifier: Apache-2.0 */
/* Hard links: one file, several names. */
#include "tests/guest/guest.h"

int main(void)
{
	char buf[8];
	struct stat a, b;
	int fd = open("a", O_RDWR | O_CREAT, 0600);

	NEED(write(fd, "data", 4) == 4 && mkdir("dir", 0700) == 0 && symlink("a", "soft") == 0);
	SHOW(link("a", "b"));
	SHOW(link("a", "dir/c"));
	SHOW(stat("a", &a));
	SHOW(stat("dir/c", &b));
	ASK(a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_nlink == 3);
	SHOW(link("a", "b"));
	SHOW(link("dir", "dir2"));
	SHOW(link("missing", "x"));
	SHOW(link("a", "missing/x"));
	SHOW(link("a", "b/x"));
	SHOW(link("soft", "soft2"));
	SHOW(lstat("soft2", &b));
	ASK(S_ISLNK(b.st_mode));
	SHOW(linkat(AT_FDCWD, "soft", AT_FDCWD, "hard", AT_SYMLINK_FOLLOW));
	SHOW(lstat("hard", &b));
	ASK(S_ISREG(b.st_mode) && b.st_nlink == 4);
	SHOW(unlink("a"));
	SHOW(fstat(fd, &a));
	ASK(a.st_nlink == 3);
	SHOW(read(open("b", O_RDONLY), buf, 8));
	SHOW(stat("soft", &a));
	return 0;
}
