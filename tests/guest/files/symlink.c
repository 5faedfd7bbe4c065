/* SPDX-License-Identifier: Apache-2.0 */
/* Symbolic links: reading, following, not following, loops, dangling ones. */
#include "tests/guest/guest.h"

int main(void)
{
	char buf[64], name[8];
	struct stat st;

	NEED(mkdir("dir", 0700) == 0 && close(open("dir/file", O_CREAT | O_WRONLY, 0600)) == 0);
	SHOW(symlink("dir/file", "to_file"));
	SHOW(symlink("dir", "to_dir"));
	SHOW(symlink("../to_file", "dir/up"));
	SHOW(symlink("nowhere", "dangling"));
	SHOW(symlink("loop2", "loop1"));
	SHOW(symlink("loop1", "loop2"));
	SHOW(symlink("x", "to_file"));
	SHOW(symlink("", "empty"));
	SHOW(readlink("to_file", buf, sizeof(buf)));
	ASK(memcmp(buf, "dir/file", 8) == 0);
	SHOW(readlink("to_file", buf, 3));
	RAW(readlink, "to_file", buf, 0);
	SHOW(readlink("dir", buf, sizeof(buf)));
	SHOW(readlink("missing", buf, sizeof(buf)));
	SHOW(lstat("to_file", &st));
	ASK(S_ISLNK(st.st_mode) && st.st_size == 8 && (st.st_mode & 0777) == 0777);
	SHOW(stat("to_file", &st));
	ASK(S_ISREG(st.st_mode));
	SHOW_OK(open("to_dir/file", O_RDONLY));
	SHOW_OK(open("to_dir/up", O_RDONLY));
	SHOW_OK(open("to_dir/../to_dir/up", O_RDONLY));
	SHOW(open("loop1", O_RDONLY));
	SHOW(open("loop1/x", O_RDONLY));
	SHOW(stat("loop1", &st));
	SHOW(open("to_file", O_RDONLY | O_NOFOLLOW));
	SHOW(open("to_dir", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
	SHOW_OK(open("to_dir/file", O_RDONLY | O_NOFOLLOW));
	SHOW(open("dangling", O_RDONLY));
	SHOW(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0600));
	SHOW_OK(open("dangling", O_WRONLY | O_CREAT, 0600));
	SHOW(stat("nowhere", &st));
	SHOW(unlink("to_dir"));
	SHOW(stat("dir", &st));
	SHOW(rmdir("loop1"));
	SHOW(mkdir("loop1", 0700));
	/* 40 links in a row are followed, 41 are too many. */
	NEED(symlink("dir/file", "s0") == 0);
	for (int i = 1; i <= 41; i++) {
		snprintf(buf, sizeof(buf), "s%d", i - 1);
		snprintf(name, sizeof(name), "s%d", i);
		NEED(symlink(buf, name) == 0);
	}
	SHOW_OK(open("s39", O_RDONLY));
	SHOW_OK(open("s40", O_RDONLY));
	return 0;
}
