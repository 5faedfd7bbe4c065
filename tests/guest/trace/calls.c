/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few calls for the trace (check-trace), some of which are not there; of those the numbers
 * are told, once each.
 */
#include "tests/guest/guest.h"

#include "tests/guest/futex.h"
#include <sys/socket.h>

#define UNUSED(call)                                                                               \
	if ((call) < 0)                                                                            \
	errno = 0
int main(void)
{
	char text[200];
	int word = 0,
	    fd = (int)syscall(SYS_openat, AT_FDCWD, "/data/small", O_RDONLY | O_CLOEXEC, 0);
	int out = open("/dev/null", O_WRONLY);

	if (fd < 0)
		fd = open("data/small", O_RDONLY); /* on Linux */
	NEED(fd >= 0);
	UNUSED(syscall(SYS_read, fd, text, 100));
	UNUSED(syscall(SYS_openat, AT_FDCWD, "nowhere", O_RDONLY, 0));
	UNUSED(syscall(SYS_read, -1, BAD_PTR, 5));
	UNUSED(syscall(SYS_write, out, "\001\"quoted\"\n", 10));
	memset(text, 'x', sizeof(text));
	UNUSED(syscall(SYS_write, out, text, sizeof(text)));
	UNUSED((long)mmap(
		NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	signal(SIGUSR1, SIG_IGN);
	UNUSED(kill(getpid(), 0));
	UNUSED(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1));
	UNUSED(syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0));
	UNUSED(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	for (int i = 0; i < 3; i++)
		UNUSED(syscall(SYS_io_uring_setup, 0, NULL));
	if (getpid() == 1) /* not on Linux: it would be one more process */
		UNUSED(syscall(SYS_fork));
	say("done\n");
	return 0;
}
