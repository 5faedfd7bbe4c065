/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd: blocked signals as data. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/signalfd.h>

int main(void)
{
	struct signalfd_siginfo info[4];
	struct pollfd pfd;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 2);
	NEED(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	pfd = (struct pollfd){.fd = fd, .events = POLLIN};
	SHOW(fcntl(fd, F_GETFD));
	SHOW(read(fd, info, sizeof(info)));
	SHOW(poll(&pfd, 1, 0));
	SHOW(kill(getpid(), SIGUSR1));
	SHOW(kill(getpid(), SIGUSR1));
	SHOW(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 7}));
	SHOW(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 8}));
	SHOW(poll(&pfd, 1, 0));
	SHOW(read(fd, info, sizeof(info)) / (long)sizeof(info[0]));
	ASK(info[0].ssi_signo == SIGUSR1 && info[0].ssi_code == SI_USER &&
		info[0].ssi_pid == (uint32_t)getpid());
	ASK(info[1].ssi_signo == (uint32_t)SIGRTMIN + 2 && info[1].ssi_code == SI_QUEUE &&
		info[1].ssi_int == 7);
	ASK(info[2].ssi_int == 8);
	SHOW(read(fd, info, sizeof(info)));
	SHOW(read(fd, info, 10));
	sigaddset(&set, SIGUSR2);
	SHOW(sigprocmask(SIG_BLOCK, &set, NULL));
	SHOW(signalfd(fd, &set, 0) == fd);
	SHOW(raise(SIGUSR2));
	SHOW(read(fd, info, sizeof(info)) / (long)sizeof(info[0]));
	ASK(info[0].ssi_signo == SIGUSR2);
	SHOW(signalfd(0, &set, 0));
	SHOW(signalfd(999, &set, 0));
	SHOW(signalfd(-1, &set, 0x1234));
	return 0;
}
