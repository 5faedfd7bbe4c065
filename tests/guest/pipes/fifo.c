/* SPDX-License-Identifier: Apache-2.0 */
/* Named pipes: opening waits for the other side. */
#include "tests/guest/guest.h"

static void *open_writer(void *arg)
{
	int fd = open("fifo", O_WRONLY);

	NEED(fd >= 0 && write(fd, "through", 7) == 7);
	close(fd);
	return NULL;
}

int main(void)
{
	char buf[16];
	pthread_t thread;
	int fd;

	SHOW(mkfifo("fifo", 0600));
	SHOW(open("fifo", O_WRONLY | O_NONBLOCK));
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	SHOW(read(fd, buf, 16));
	SHOW_OK(open("fifo", O_WRONLY | O_NONBLOCK));
	SHOW(read(fd, buf, 16));
	close(fd);
	SHOW(unlink("fifo"));
	SHOW(mkfifo("fifo", 0600));
	thread = start_thread(open_writer, NULL);
	fd = open("fifo", O_RDONLY);
	SHOW(read(fd, buf, 16));
	pthread_join(thread, NULL);
	SHOW(read(fd, buf, 16));
	return 0;
}
