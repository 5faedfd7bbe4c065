/* SPDX-License-Identifier: Apache-2.0 */
/* fstatat and statx: flags, empty paths, links, kinds and sizes. */
#include "tests/guest/guest.h"

#include <sys/sysmacros.h>

int main(void)
{
	struct stat st;
	int fd = open("file", O_CREAT | O_RDWR, 0640), path = open("soft", O_PATH), dir;

	NEED(write(fd, "hello", 5) == 5 && symlink("file", "soft") == 0 && mkdir("dir", 0700) == 0);
	dir = open("dir", O_RDONLY | O_DIRECTORY);
	SHOW(path);
	SHOW(fstatat(AT_FDCWD, "soft", &st, 0));
	say("%o %ld\n", st.st_mode, (long)st.st_size);
	SHOW(fstatat(AT_FDCWD, "soft", &st, AT_SYMLINK_NOFOLLOW));
	say("%o %ld\n", st.st_mode, (long)st.st_size);
	path = open("soft", O_PATH | O_NOFOLLOW);
	SHOW(fstat(path, &st));
	say("%o\n", st.st_mode);
	SHOW(fstatat(path, "", &st, AT_EMPTY_PATH));
	SHOW(fstatat(path, "", &st, 0));
	SHOW(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
	say("folder %d\n", S_ISDIR(st.st_mode));
	SHOW(fstatat(AT_FDCWD, "file", &st, 1));
	SHOW(fstatat(AT_FDCWD, "file", &st, AT_NO_AUTOMOUNT));
	SHOW(fstatat(dir, "..", &st, 0));
	SHOW(fstatat(dir, "../file", &st, 0));
	SHOW(fstatat(fd, "x", &st, 0));
	SHOW(fstatat(99, "x", &st, 0));
	SHOW(fstatat(99, "/dev/null", &st, 0));
	say("%d %u:%u\n", S_ISCHR(st.st_mode), major(st.st_rdev), minor(st.st_rdev));
	RAW(newfstatat, AT_FDCWD, "file", BAD_PTR, 0);
	RAW(newfstatat, AT_FDCWD, BAD_PTR, &st, 0);
	RAW(fstat, fd, BAD_KERNEL);
	RAW(stat, "file/", &st);
	RAW(lstat, "soft/", &st);
	RAW(lstat, "dir/", &st);
	return 0;
}
