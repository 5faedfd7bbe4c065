/* SPDX-License-Identifier: Apache-2.0 */
/* Names: the longest, dots, slashes, what mkdir, rmdir and unlink refuse. */
#include "tests/guest/guest.h"

int main(void)
{
	char name[300], got[8];

	memset(name, 'n', sizeof(name));
	name[255] = 0;
	SHOW(mkdir(name, 0700));
	SHOW(rmdir(name));
	name[255] = 'n';
	name[256] = 0;
	SHOW(mkdir(name, 0700));
	SHOW(mkdir("dir//", 0700));
	SHOW(mkdir("dir", 0700));
	SHOW(mkdir("dir/.", 0700));
	SHOW(mkdir("none/x", 0700));
	SHOW(mkdir("", 0700));
	RAW(mkdir, BAD_PTR, 0700);
	SHOW(mkdir("dir/./../dir/in", 0700));
	SHOW(rmdir("dir"));
	SHOW(rmdir("dir/in/."));
	SHOW(rmdir("dir/in/.."));
	SHOW(rmdir("/"));
	SHOW(unlink("dir"));
	SHOW(unlink("dir/in/"));
	SHOW(unlinkat(AT_FDCWD, "dir/in", AT_REMOVEDIR));
	SHOW(unlinkat(AT_FDCWD, "dir", 1));
	SHOW(rmdir("none"));
	NEED(symlink("dir", "soft") == 0);
	SHOW(rmdir("soft"));
	SHOW(rmdir("soft/"));
	SHOW(unlink("soft/"));
	SHOW(mkdir("soft", 0700));
	SHOW(readlink("soft", got, 2));
	SHOW(readlink("soft", got, 0));
	SHOW(readlink("dir", got, 8));
	RAW(readlink, "soft", BAD_PTR, 8);
	SHOW(mknod("dir/fifo", S_IFIFO | 0600, 0));
	SHOW(mknod("dir/fifo", S_IFREG | 0600, 0));
	SHOW(mknod("dir/d", S_IFDIR | 0600, 0));
	SHOW(chdir("dir/fifo"));
	SHOW(chdir("none"));
	return 0;
}
