/* SPDX-License-Identifier: Apache-2.0 */
/* O_APPEND, O_PATH, O_TMPFILE, O_DIRECTORY, O_NOFOLLOW: what such files do and refuse. */
#include "tests/guest/guest.h"

#include <sys/ioctl.h>

int main(void)
{
	char b[32] = "", name[64];
	int fd = open("file", O_CREAT | O_RDWR | O_APPEND, 0600), path, tmp;

	NEED(symlink("file", "soft") == 0 && mkdir("dir", 0700) == 0);
	SHOW(write(fd, "one", 3));
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(write(fd, "two", 3));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(pwrite(fd, "X", 1, 0)); /* appends all the same, as Linux does */
	SHOW(pread(fd, b, 32, 0));
	say("%s\n", b);
	path = open("file", O_PATH | O_RDWR | O_TRUNC);
	SHOW(read(path, b, 1));
	SHOW(write(path, b, 1));
	SHOW(fcntl(path, F_GETFL) == O_PATH);
	SHOW(fcntl(path, F_SETFL, 0));
	SHOW(ioctl(path, FIONREAD, b));
	SHOW(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, path, 0) == MAP_FAILED);
	SHOW(fsync(path));
	SHOW_OK(dup(path));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", path);
	SHOW_OK(open(name, O_RDONLY));
	SHOW(open("soft", O_RDONLY | O_NOFOLLOW));
	SHOW_OK(open("soft", O_PATH | O_NOFOLLOW));
	SHOW(open("soft", O_RDONLY | O_DIRECTORY));
	SHOW_OK(tmp = open(".", O_TMPFILE | O_RDWR, 0600));
	SHOW(write(tmp, "t", 1));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", tmp);
	SHOW(linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	SHOW(access("named", F_OK));
	SHOW(open(".", O_TMPFILE | O_RDONLY, 0600));
	SHOW(open("file", O_TMPFILE | O_RDWR, 0600));
	SHOW(open("none", O_TMPFILE | O_RDWR, 0600));
	return 0;
}
