/* SPDX-License-Identifier: Apache-2.0 */
/* RLIMIT_FSIZE: writes are cut down to it; beyond it SIGXFSZ and EFBIG. */
#include "tests/guest/size_limit.h"

#include <sys/uio.h>

int main(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600), app = open("file", O_WRONLY | O_APPEND);
	char b[16] = "abcdefghijklmno";
	struct iovec v[2] = {{b, 8}, {b + 8, 4}};
	struct stat st;

	on_signal(SIGXFSZ, handler, 0);
	UNDER(write(fd, b, 6));
	UNDER(write(fd, b, 6));
	UNDER(write(fd, b, 1));
	UNDER(write(fd, b, 0));
	UNDER(pwrite(fd, b, 1, 9));
	UNDER(pwrite(fd, b, 3, 9));
	UNDER(pwrite(fd, b, 1, 10));
	UNDER(pwrite(fd, b, 1, 1l << 40));
	UNDER(pwritev(fd, v, 2, 0));
	UNDER(pwritev(fd, v, 2, 4));
	UNDER(write(app, b, 1));
	UNDER(ftruncate(fd, 10));
	UNDER(ftruncate(fd, 11));
	UNDER(truncate("file", 11));
	UNDER(ftruncate(fd, 4));
	UNDER(write(app, b, 16));
	UNDER(write(app, b, 1));
	SHOW(ftruncate(fd, 100));
	UNDER(ftruncate(fd, 50)); /* to make it smaller is no offence */
	UNDER(pwrite(fd, b, 1, 20));
	UNDER(pwrite(fd, b, 16, 4));
	UNDER(close(open("file", O_WRONLY | O_TRUNC)));
	NEED(fstat(fd, &st) == 0);
	say("%ld\n", (long)st.st_size);
	signal(SIGXFSZ, SIG_IGN);
	UNDER(pwrite(fd, b, 1, 20));
	signal(SIGXFSZ, SIG_DFL);
	UNDER(pwrite(fd, b, 1, 20));
	return 0;
}
