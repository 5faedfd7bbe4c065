/* SPDX-License-Identifier: Apache-2.0 */
/* Files without a name: unlinked while open, O_TMPFILE with O_EXCL, what fstat and links say. */
#include "tests/guest/guest.h"

int main(void)
{
	struct stat st;
	char b[8] = "";
	int fd = open("file", O_CREAT | O_EXCL | O_RDWR, 0600);

	NEED(fd >= 0 && write(fd, "hello", 5) == 5);
	SHOW(unlink("file"));
	SHOW(fstat(fd, &st));
	say("%ld names, %ld bytes\n", (long)st.st_nlink, (long)st.st_size);
	SHOW(pread(fd, b, 8, 0));
	say("%s\n", b);
	SHOW(ftruncate(fd, 2));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(linkat(fd, "", AT_FDCWD, "back", AT_EMPTY_PATH));
	SHOW(access("back", F_OK));
	SHOW(fchmod(fd, 0644));
	SHOW(fstat(fd, &st));
	say("%o\n", st.st_mode);
	SHOW_OK(open("file", O_CREAT | O_EXCL | O_RDWR, 0600));
	SHOW(unlink("file"));
	SHOW(unlink("file"));
	return 0;
}
