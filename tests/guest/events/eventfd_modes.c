/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd as counter and as semaphore: edges, EFD_NONBLOCK, vectors, offsets. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

static void both(int flags)
{
	int fd = eventfd(3, flags | EFD_NONBLOCK);
	uint64_t v = 0, max = UINT64_MAX - 1;
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
	struct iovec iov[2] = {{&v, 4}, {(char *)&v + 4, 4}};

	say("-- %d\n", flags);
	for (int i = 0; i < 4; i++) {
		SHOW(read(fd, &v, 8));
		say("%lu\n", (unsigned long)v);
	}
	SHOW(poll(&p, 1, 0));
	say("%#x\n", p.revents);
	SHOW(write(fd, &max, 8));
	SHOW(poll(&p, 1, 0));
	say("%#x\n", p.revents);
	v = 1;
	SHOW(write(fd, &v, 8));
	max = UINT64_MAX;
	SHOW(write(fd, &max, 8));
	RAW(read, fd, &v, 4);
	SHOW(read(fd, &v, 7));
	SHOW(write(fd, &v, 4));
	SHOW(pread(fd, &v, 8, 0));
	SHOW(pwrite(fd, &v, 8, 0));
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(readv(fd, iov, 2) == 8 || errno == EINVAL || errno == EAGAIN);
	RAW(read, fd, BAD_PTR, 8);
	close(fd);
}
int main(void)
{
	both(0);
	both(EFD_SEMAPHORE);
	RAW(eventfd2, 0, 2);
	SHOW_OK(eventfd(-1, 0));
	return 0;
}
