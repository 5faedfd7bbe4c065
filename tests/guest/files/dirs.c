/* SPDX-License-Identifier: Apache-2.0 */
/* mkdir, chdir, getcwd, and paths relative to a descriptor. */
#include "tests/guest/guest.h"

int main(void)
{
	char top[256], buf[300];
	struct stat st;
	int fd;

	NEED(getcwd(top, sizeof(top)));
	SHOW(mkdir("a", 0700));
	SHOW(mkdir("a", 0700));
	SHOW(mkdir("a/b/c", 0700));
	SHOW(mkdir("a/b/", 0700));
	SHOW(mkdir("", 0700));
	SHOW(mkdir("/", 0700));
	SHOW(mkdir(".", 0700));
	NEED(close(open("file", O_CREAT | O_WRONLY, 0600)) == 0);
	SHOW(mkdir("file/x", 0700));
	SHOW(chdir("file"));
	SHOW(chdir("missing"));
	SHOW(chdir("a/b"));
	NEED(getcwd(buf, sizeof(buf)));
	say("%s\n", buf + (strcmp(top, "/") ? strlen(top) : 0));
	SHOW_OK(syscall(SYS_getcwd, buf, 2));
	SHOW_OK(syscall(SYS_getcwd, buf, 0));
	SHOW(chdir("../.."));
	NEED(getcwd(buf, sizeof(buf)));
	ASK(strcmp(top, buf) == 0);
	fd = open("a", O_RDONLY | O_DIRECTORY);
	SHOW(mkdirat(fd, "d", 0700));
	SHOW(fstatat(fd, "d", &st, 0));
	SHOW(faccessat(fd, "d", F_OK, 0));
	SHOW(faccessat(fd, "missing", F_OK, 0));
	SHOW_OK(openat(fd, "f", O_CREAT | O_WRONLY, 0600));
	SHOW(access("a/f", R_OK | W_OK));
	SHOW(access("a/f", 0x40));
	SHOW(renameat(fd, "f", AT_FDCWD, "g"));
	SHOW(access("g", F_OK));
	SHOW(symlinkat("g", fd, "s"));
	SHOW(readlinkat(fd, "s", buf, sizeof(buf)));
	SHOW(unlinkat(fd, "s", 0));
	SHOW(fchdir(fd));
	SHOW(access("d", F_OK));
	SHOW(fchdir(open("../g", O_RDONLY)));
	SHOW(fchdir(999));
	SHOW(mkdirat(fd, "/", 0700));
	/* ".." of the top is the top. */
	SHOW(chdir("/../../.."));
	NEED(getcwd(buf, sizeof(buf)));
	say("%s\n", buf);
	return 0;
}
