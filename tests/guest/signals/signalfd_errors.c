/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd: flags, masks, reads. */
#include "tests/guest/guest.h"

#include <sys/signalfd.h>

int main(void)
{
	struct signalfd_siginfo info[4];
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGKILL);
	NEED(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	SHOW(signalfd(-1, &set, 0x1234));
	SHOW(signalfd(99, &set, 0));
	SHOW(signalfd(STDOUT_FILENO, &set, 0));
	RAW(signalfd4, -1, BAD_PTR, 8, 0);
	RAW(signalfd4, -1, &set, 4, 0);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	NEED(fd >= 0);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(read(fd, info, sizeof(info)));
	NEED(raise(SIGUSR1) == 0 && raise(SIGUSR1) == 0);
	NEED(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 5}) == 0);
	NEED(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 6}) == 0);
	SHOW(read(fd, info, 10));
	SHOW(read(fd, info, sizeof(info)) / (long)sizeof(info[0]));
	for (int i = 0; i < 3; i++)
		say("%s %d %d\n", info[i].ssi_signo == SIGUSR1 ? "USR1" : "RT", info[i].ssi_code,
			info[i].ssi_int);
	SHOW(read(fd, info, sizeof(info)));
	SHOW(write(fd, info, sizeof(info)));
	NEED(raise(SIGUSR1) == 0);
	RAW(read, fd, BAD_PTR, sizeof(info[0]));
	sigemptyset(&set);
	SHOW(signalfd(fd, &set, 0) == fd);
	NEED(raise(SIGUSR1) == 0);
	SHOW(read(fd, info, sizeof(info)));
	SHOW(lseek(fd, 0, SEEK_SET));
	return 0;
}
