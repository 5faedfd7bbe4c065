/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor of the process itself: signals through it, waiting for it, its descriptors. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#define SYS_pidfd_open        434
#define SYS_pidfd_getfd       438
#endif
#define NO_FLAG 0x10000000

static int self, null;

static void handler(int signo, siginfo_t *info, void *context)
{
	say("signal: %d %d, from %s, value %d\n", signo == SIGUSR1, info->si_code,
		info->si_pid == getpid() ? "this process" : "somebody",
		info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);
}

static void opening(void)
{
	RAW(pidfd_open, 0, 0);
	RAW(pidfd_open, -1, 0);
	RAW(pidfd_open, 999999, 0);
	RAW(pidfd_open, getpid(), NO_FLAG);
	self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	NEED(self >= 0);
	SHOW(fcntl(self, F_GETFD));
	SHOW(fcntl(self, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
	SHOW_OK(fcntl((int)syscall(SYS_pidfd_open, getpid(), O_NONBLOCK), F_GETFD));
	SHOW(read(self, &(char[8]){0}, 8));
	SHOW(write(self, "12345678", 8));
}

static void polling(void)
{
	struct pollfd p = {.fd = self, .events = POLLIN};
	struct epoll_event e = {.events = EPOLLIN};
	int ep = epoll_create1(0);

	SHOW(poll(&p, 1, 0));
	SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, self, &e));
	SHOW(epoll_wait(ep, &e, 1, 0));
	SHOW(close(ep));
}

static void signalling(void)
{
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
	sigset_t set;

	info.si_pid = getpid();
	info.si_value.sival_int = 42;
	on_signal(SIGUSR1, handler, 0);
	RAW(pidfd_send_signal, self, 0, NULL, 0);
	RAW(pidfd_send_signal, self, SIGUSR1, NULL, 0);
	RAW(pidfd_send_signal, self, SIGUSR1, &info, 0);
	RAW(pidfd_send_signal, self, SIGUSR2, &info, 0);
	RAW(pidfd_send_signal, self, SIGUSR1, BAD_PTR, 0);
	RAW(pidfd_send_signal, self, 65, NULL, 0);
	RAW(pidfd_send_signal, self, -1, NULL, 0);
	RAW(pidfd_send_signal, self, SIGUSR1, NULL, NO_FLAG);
	RAW(pidfd_send_signal, null, SIGUSR1, NULL, 0);
	RAW(pidfd_send_signal, 99, SIGUSR1, NULL, 0);
	RAW(pidfd_send_signal, 99, SIGUSR1, NULL, NO_FLAG);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	NEED(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	RAW(pidfd_send_signal, self, SIGUSR1, NULL, 0);
	say("let in\n");
	NEED(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
	/* the directory of a process is as good for this */
	RAW(pidfd_send_signal, open("/proc/self", O_RDONLY | O_DIRECTORY), 0, NULL, 0);
	RAW(pidfd_send_signal, open("/proc/self", O_PATH), 0, NULL, 0);
	RAW(pidfd_send_signal, open("/proc", O_RDONLY | O_DIRECTORY), 0, NULL, 0);
	RAW(pidfd_send_signal, open("/proc/self/fd", O_RDONLY | O_DIRECTORY), 0, NULL, 0);
}

static void waiting(void)
{
	siginfo_t info;

	RAW(waitid, 3 /* P_PIDFD */, self, &info, WEXITED, NULL);
	RAW(waitid, 3, self, &info, WEXITED | WNOHANG, NULL);
	RAW(waitid, 3, self, &info, 0, NULL);
	RAW(waitid, 3, null, &info, WEXITED, NULL);
	RAW(waitid, 3, 99, &info, WEXITED, NULL);
	RAW(waitid, 3, -1, &info, WEXITED, NULL);
}

static void taking(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600), copy;

	copy = (int)syscall(SYS_pidfd_getfd, self, fd, 0);
	NEED(fd >= 0 && copy >= 0);
	SHOW(fcntl(copy, F_GETFD));
	SHOW(write(copy, "0123456789", 10));
	SHOW(lseek(fd, 0, SEEK_CUR)); /* one description */
	SHOW(close(copy));
	RAW(pidfd_getfd, self, 99, 0);
	RAW(pidfd_getfd, self, -1, 0);
	RAW(pidfd_getfd, self, fd, 1);
	RAW(pidfd_getfd, null, fd, 0);
	RAW(pidfd_getfd, 99, fd, 0);
}

int main(void)
{
	null = open("/dev/null", O_RDONLY);
	NEED(null >= 0);
	opening();
	polling();
	signalling();
	waiting();
	taking();
	SHOW(close(self));
	RAW(pidfd_send_signal, self, 0, NULL, 0);
	return 0;
}
