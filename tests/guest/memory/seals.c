/* SPDX-License-Identifier: Apache-2.0 */
/* Seals of a memfd. */
#include "tests/guest/guest.h"

#ifndef F_ADD_SEALS
#define F_ADD_SEALS   1033
#define F_GET_SEALS   1034
#define F_SEAL_SEAL   1
#define F_SEAL_SHRINK 2
#define F_SEAL_GROW   4
#define F_SEAL_WRITE  8
#endif
int main(void)
{
	int fd = (int)syscall(SYS_memfd_create, "m", 2),
	    plain = (int)syscall(SYS_memfd_create, "n", 0);
	char *p;

	NEED(fd >= 0 && plain >= 0 && ftruncate(fd, 2 * (off_t)PAGE) == 0);
	SHOW(fcntl(plain, F_GET_SEALS));
	SHOW(fcntl(plain, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(fcntl(fd, F_GET_SEALS));
	SHOW(fcntl(fd, F_ADD_SEALS, 0x4000));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	SHOW(ftruncate(fd, (off_t)PAGE));
	SHOW(ftruncate(fd, 3 * (off_t)PAGE));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(ftruncate(fd, 4 * (off_t)PAGE));
	SHOW(pwrite(fd, "x", 1, 3 * (off_t)PAGE));
	SHOW(pwrite(fd, "x", 1, 0));
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED);
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW(munmap(p, PAGE));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW(pwrite(fd, "x", 1, 0));
	SHOW_OK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	SHOW_OK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(fcntl(fd, F_GET_SEALS));
	SHOW(fcntl(STDOUT_FILENO, F_GET_SEALS));
	return 0;
}
