/* SPDX-License-Identifier: Apache-2.0 */
/* What seals of a memfd leave possible: writes, holes, mappings that are there, protection that is asked for later. */
#include "tests/guest/guest.h"

#include <sys/uio.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x10
#endif

static int sealed(const char *name, int seals)
{
	int fd = memfd_create(name, MFD_ALLOW_SEALING);

	NEED(fd >= 0 && ftruncate(fd, 2 * (off_t)PAGE) == 0);
	if (seals)
		NEED(fcntl(fd, F_ADD_SEALS, seals) == 0);
	return fd;
}

int main(void)
{
	int grow = sealed("grow", F_SEAL_GROW), shrink = sealed("shrink", F_SEAL_SHRINK),
	    wr = sealed("write", F_SEAL_WRITE), future = sealed("future", 0), ro, twin;
	static char eight[] = "12345678";
	struct iovec v = {eight, 8};
	char path[64], *map, *view;

	SHOW(pwrite(grow, "12345678", 8, 2 * (off_t)PAGE));
	SHOW(fallocate(grow, 0, 0, 3 * (off_t)PAGE));
	SHOW(fallocate(grow, 0, 0, 2 * (off_t)PAGE));
	SHOW(ftruncate(grow, 5));
	SHOW(pwritev2(grow, &v, 1, 0, RWF_APPEND));
	SHOW(ftruncate(shrink, 5));
	SHOW(pwritev2(shrink, &v, 1, 0, RWF_APPEND));
	SHOW(lseek(shrink, 0, SEEK_END) - 2 * (off_t)PAGE);
	SHOW(fallocate(shrink, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)PAGE));
	SHOW(fallocate(wr, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)PAGE));
	SHOW(fallocate(wr, 0, 0, 3 * (off_t)PAGE));
	SHOW(ftruncate(wr, 3 * (off_t)PAGE));
	SHOW(copy_file_range(shrink, &(loff_t){0}, wr, &(loff_t){0}, 8, 0));
	view = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, wr, 0);
	NEED(view != MAP_FAILED);
	SHOW(mprotect(view, PAGE, PROT_READ | PROT_WRITE));
	SHOW(munmap(view, PAGE));
	view = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, wr, 0);
	NEED(view != MAP_FAILED);
	SHOW(mprotect(view, PAGE, PROT_READ | PROT_WRITE));
	view[0] = 'p';
	/* what may be written already stays so */
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, future, 0);
	NEED(map != MAP_FAILED);
	SHOW(fcntl(future, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW(fcntl(future, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	map[0] = 'm';
	SHOW(pread(future, path, 1, 0));
	ASK(path[0] == 'm');
	SHOW(pwrite(future, "x", 1, 0));
	SHOW_OK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, future, 0));
	/* seals are the file's, whoever opens it */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", shrink);
	NEED((twin = open(path, O_RDWR)) >= 0 && (ro = open(path, O_RDONLY)) >= 0);
	SHOW(fcntl(twin, F_GET_SEALS));
	SHOW(fcntl(ro, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(fcntl(twin, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(fcntl(shrink, F_GET_SEALS));
	return 0;
}
