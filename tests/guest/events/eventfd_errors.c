/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd: flags, sizes, overflow, semaphores. */
#include "tests/guest/guest.h"

#include <sys/eventfd.h>

int main(void)
{
	uint64_t v = 1;
	int fd, s;

	SHOW(eventfd(0, 0x10));
	fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
	s = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
	RAW(read, fd, &v, 4);
	SHOW(read(fd, &v, 8));
	say("%lu\n", (unsigned long)v);
	SHOW(read(fd, &v, 8));
	v = -1ul;
	SHOW(write(fd, &v, 8));
	v = -2ul;
	SHOW(write(fd, &v, 8));
	v = 1;
	SHOW(write(fd, &v, 8));
	SHOW(write(fd, &v, 4));
	RAW(write, fd, BAD_PTR, 8);
	RAW(read, fd, BAD_PTR, 8);
	SHOW(read(s, &v, 8));
	SHOW(read(s, &v, 8));
	say("%lu\n", (unsigned long)v);
	SHOW(read(s, &v, 8));
	SHOW(lseek(fd, 0, SEEK_SET));
	return 0;
}
