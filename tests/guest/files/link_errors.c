/* SPDX-License-Identifier: Apache-2.0 */
/* link, linkat and symlinkat: what is refused, AT_SYMLINK_FOLLOW, counts of names. */
#include "tests/guest/guest.h"

static long names(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? -1 : (long)st.st_nlink;
}
int main(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600);

	NEED(fd > 0 && mkdir("dir", 0700) == 0 && symlink("file", "soft") == 0);
	SHOW(link("file", "file"));
	SHOW(link("dir", "hard"));
	SHOW(link("none", "x"));
	SHOW(link("file", "dir"));
	SHOW(link("file", "none/x"));
	SHOW(link("file/x", "y"));
	SHOW(link("", "y"));
	SHOW(link("file", "new/"));
	SHOW(linkat(AT_FDCWD, "soft", AT_FDCWD, "soft2", 0));
	say("%ld %ld\n", names("soft"), names("file"));
	SHOW(linkat(AT_FDCWD, "soft", AT_FDCWD, "hard", AT_SYMLINK_FOLLOW));
	say("%ld %ld\n", names("soft"), names("file"));
	SHOW(linkat(AT_FDCWD, "file", AT_FDCWD, "x", 1));
	SHOW(linkat(99, "file", AT_FDCWD, "x", 0));
	SHOW(linkat(fd, "file", AT_FDCWD, "x", 0));
	RAW(linkat, AT_FDCWD, BAD_PTR, AT_FDCWD, "x", 0);
	RAW(linkat, AT_FDCWD, "file", AT_FDCWD, BAD_PTR, 0);
	SHOW(linkat(AT_FDCWD, "soft", 99, "/tmp/none/x", 0));
	SHOW(symlinkat("", AT_FDCWD, "x"));
	SHOW(symlinkat("a", AT_FDCWD, ""));
	SHOW(symlinkat("a", AT_FDCWD, "file"));
	SHOW(symlinkat("a", fd, "x"));
	RAW(symlinkat, BAD_PTR, AT_FDCWD, "x");
	SHOW(unlink("hard"));
	say("%ld\n", names("file"));
	return 0;
}
