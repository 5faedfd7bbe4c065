/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd: counting, semaphore mode, overflow, a waiting reader. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/eventfd.h>

static int blocking;

static void *reader(void *arg)
{
	uint64_t value = 0;

	NEED(read(blocking, &value, 8) == 8);
	return (void *)(uintptr_t)value;
}

int main(void)
{
	int fd = eventfd(3, EFD_NONBLOCK), sem = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
	struct pollfd pfd = {.fd = fd, .events = POLLIN | POLLOUT};
	uint64_t value = 0;
	pthread_t thread;
	void *result;

	SHOW(read(fd, &value, 8));
	SHOW(value);
	SHOW(read(fd, &value, 8));
	SHOW(poll(&pfd, 1, 0));
	ASK(pfd.revents == POLLOUT);
	value = 5;
	SHOW(write(fd, &value, 8));
	SHOW(write(fd, &value, 8));
	SHOW(poll(&pfd, 1, 0));
	ASK(pfd.revents == (POLLIN | POLLOUT));
	SHOW(read(fd, &value, 7));
	SHOW(write(fd, &value, 4));
	RAW(read, fd, &value, 100);
	SHOW(value);
	value = UINT64_MAX;
	SHOW(write(fd, &value, 8));
	value = UINT64_MAX - 1;
	SHOW(write(fd, &value, 8));
	value = 1;
	SHOW(write(fd, &value, 8));
	SHOW(poll(&pfd, 1, 0));
	ASK(pfd.revents == POLLIN);
	SHOW(read(sem, &value, 8));
	SHOW(value);
	SHOW(read(sem, &value, 8));
	SHOW(read(sem, &value, 8));
	SHOW(eventfd(0, 0x12345));
	blocking = eventfd(0, 0);
	thread = start_thread(reader, NULL);
	sleep_ms(5);
	value = 42;
	SHOW(write(blocking, &value, 8));
	pthread_join(thread, &result);
	say("thread read %lu\n", (unsigned long)result);
	return 0;
}
