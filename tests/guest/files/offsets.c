/* SPDX-License-Identifier: Apache-2.0 */
/* The offset belongs to the open file: dup shares it, a second open has its own; so do the status flags. */
#include "tests/guest/guest.h"

int main(void)
{
	char buf[16];
	int a = open("file", O_RDWR | O_CREAT, 0600), b = dup(a), c = open("file", O_RDWR);

	SHOW(write(a, "one", 3));
	SHOW(write(b, "two", 3));
	SHOW(read(c, buf, 16));
	ASK(memcmp(buf, "onetwo", 6) == 0);
	SHOW(lseek(b, 1, SEEK_SET));
	SHOW(lseek(a, 0, SEEK_CUR));
	SHOW(lseek(c, 0, SEEK_CUR));
	SHOW(fcntl(b, F_SETFL, O_APPEND));
	ASK((fcntl(a, F_GETFL) & O_APPEND) != 0);
	ASK((fcntl(c, F_GETFL) & O_APPEND) != 0);
	SHOW(write(a, "three", 5));
	SHOW(lseek(a, 0, SEEK_CUR));
	SHOW(close(a));
	SHOW(write(b, "four", 4));
	SHOW(lseek(c, 0, SEEK_END));
	return 0;
}
