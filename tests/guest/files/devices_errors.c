/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/null, zero, full, random, urandom, tty: sizes, pointers, positions. */
#include "tests/guest/guest.h"

static void with(const char *path)
{
	char b[16];
	int fd = open(path, O_RDWR);
	struct stat st;

	say("-- %s %d\n", path, fd >= 0);
	if (fd < 0)
		return;
	memset(b, 7, sizeof(b));
	SHOW(read(fd, b, 8));
	SHOW(write(fd, b, 8));
	SHOW(write(fd, b, 0));
	RAW(read, fd, BAD_PTR, 8);
	RAW(write, fd, BAD_PTR, 8);
	SHOW(pread(fd, b, 4, 1000));
	SHOW(lseek(fd, 100, SEEK_SET));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(ftruncate(fd, 0));
	SHOW(fstat(fd, &st));
	say("%o %d\n", st.st_mode & S_IFMT, (int)st.st_size);
	close(fd);
}
int main(void)
{
	with("/dev/null");
	with("/dev/zero");
	with("/dev/full");
	SHOW(open("/dev/none", O_RDWR));
	SHOW(open("/dev/null/x", O_RDWR));
	SHOW(open("/dev/null", O_RDONLY | O_DIRECTORY));
	SHOW_OK(open("/dev/null", O_WRONLY | O_TRUNC | O_CREAT, 0600));
	return 0;
}
