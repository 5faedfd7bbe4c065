/* SPDX-License-Identifier: Apache-2.0 */
/* open(2): what its flags make of files that are there, missing, folders, or badly named. */
#include "tests/guest/guest.h"

int main(void)
{
	char name[300];

	NEED(close(open("file", O_WRONLY | O_CREAT, 0600)) == 0);
	NEED(mkdir("dir", 0700) == 0);
	SHOW(open("missing", O_RDONLY));
	SHOW(open("missing/x", O_RDONLY | O_CREAT, 0600));
	SHOW(open("", O_RDONLY));
	SHOW(open("file/x", O_RDONLY));
	SHOW(open("file/", O_RDONLY));
	SHOW(open("dir", O_WRONLY));
	SHOW(open("dir", O_RDWR));
	SHOW(open("dir", O_RDONLY | O_CREAT, 0600));
	SHOW(open("dir/", O_RDONLY | O_CREAT, 0600));
	SHOW(open("file", O_RDONLY | O_DIRECTORY));
	SHOW(open("file", O_WRONLY | O_CREAT | O_EXCL, 0600));
	SHOW(open("dir", O_WRONLY | O_CREAT | O_EXCL, 0600));
	SHOW_OK(open("new", O_WRONLY | O_CREAT | O_EXCL, 0600));
	SHOW_OK(open("dir", O_RDONLY | O_DIRECTORY));
	SHOW_OK(open("dir/../file", O_RDONLY));
	SHOW_OK(open("./dir/./../dir//../file", O_RDONLY));
	SHOW_OK(open("dir/", O_RDONLY));
	SHOW(open("missing/../file", O_RDONLY));
	SHOW(open("file/../file", O_RDONLY));
	SHOW(openat(-5, "file", O_RDONLY));
	SHOW(openat(999, "file", O_RDONLY));
	SHOW_OK(openat(999, "/", O_RDONLY));
	SHOW(openat(STDOUT_FILENO, "file", O_RDONLY) == -1 && (errno == ENOTDIR));
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	SHOW(open(name, O_WRONLY | O_CREAT, 0600));
	name[255] = '\0';
	SHOW_OK(open(name, O_WRONLY | O_CREAT, 0600));
	{
		static char path[5000];

		for (size_t i = 0; i + 2 < sizeof(path); i += 2)
			memcpy(path + i, "./", 3);
		SHOW(open(path, O_RDONLY));
		path[4094] = '\0';
		SHOW_OK(open(path, O_RDONLY));
	}
	return 0;
}
