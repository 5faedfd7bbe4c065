/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd: the fields of what it reads, several at once, order, masks changed later. */
#include "tests/guest/guest.h"

#include <sys/signalfd.h>

int main(void)
{
	struct signalfd_siginfo s[4];
	sigset_t set;
	union sigval v = {.sival_int = 42};
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGUSR2);
	NEED(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	sigdelset(&set, SIGUSR2);
	SHOW_OK(fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
	SHOW(fcntl(fd, F_GETFD));
	SHOW(read(fd, s, sizeof(s)));
	NEED(sigqueue(getpid(), SIGRTMIN, v) == 0 && kill(getpid(), SIGUSR1) == 0 &&
		kill(getpid(), SIGUSR2) == 0);
	v.sival_int = 43;
	NEED(sigqueue(getpid(), SIGRTMIN, v) == 0);
	SHOW(read(fd, s, sizeof(s)) / (long)sizeof(s[0]));
	for (int i = 0; i < 3; i++)
		say("signal %d code %d own %d user %u int %d\n", s[i].ssi_signo == SIGUSR1 ? 0 : 1,
			s[i].ssi_code, s[i].ssi_pid == (uint32_t)getpid(), s[i].ssi_uid,
			s[i].ssi_int);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	SHOW(signalfd(fd, &set, 0) == fd);
	SHOW(raise(SIGUSR2));
	SHOW(read(fd, s, sizeof(s)) / (long)sizeof(s[0]));
	say("%d code %d\n", s[0].ssi_signo == SIGUSR2, s[0].ssi_code);
	SHOW(read(fd, s, sizeof(s[0]) - 1));
	SHOW(write(fd, s, sizeof(s[0])));
	NEED(raise(SIGUSR2) == 0);
	RAW(read, fd, BAD_PTR, 128);
	return 0;
}
