/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of pointer argument, with addresses that no program may use: EFAULT, never a crash, never the kernel's memory. */
#include "tests/guest/guest.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/utsname.h>

static int zero, file, dir, pipes[2], epfd, sock, tfd;

static void with(void *bad)
{
	RAW(read, zero, bad, 100);
	RAW(write, pipes[1], bad, 100);
	RAW(pread64, zero, bad, 100, 0);
	RAW(pwrite64, file, bad, 100, 0);
	RAW(readv, zero, bad, 1);
	RAW(writev, pipes[1], bad, 1);
	RAW(readv, zero, (&(struct iovec){bad, 100}), 1);
	RAW(open, bad, O_RDONLY);
	RAW(openat, AT_FDCWD, bad, O_RDONLY);
	RAW(stat, bad, bad);
	RAW(stat, "/", bad);
	RAW(newfstatat, AT_FDCWD, bad, bad, 0);
	RAW(fstat, file, bad);
	RAW(statx, AT_FDCWD, "/", 0, 0xfff, bad);
	RAW(access, bad, 0);
	RAW(mkdir, bad, 0700);
	RAW(rename, "a", bad);
	RAW(unlink, bad);
	RAW(readlink, "/proc/self/exe", bad, 100);
	RAW(getcwd, bad, 100);
	RAW(chdir, bad);
	RAW(pipe2, bad, 0);
	RAW(getdents64, dir, bad, 100);
	RAW(poll, bad, 1, 0);
	RAW(select, 1, bad, NULL, NULL, NULL);
	RAW(epoll_ctl, epfd, EPOLL_CTL_ADD, pipes[0], bad);
	RAW(epoll_wait, epfd, bad, 1, 0);
	RAW(clock_gettime, CLOCK_MONOTONIC, bad);
	RAW(clock_getres, CLOCK_MONOTONIC, bad);
	RAW(gettimeofday, bad, NULL);
	RAW(nanosleep, bad, NULL);
	RAW(clock_nanosleep, CLOCK_MONOTONIC, 0, bad, NULL);
	RAW(timerfd_settime, tfd, 0, bad, NULL);
	RAW(timerfd_gettime, tfd, bad);
	RAW(rt_sigaction, SIGUSR1, bad, NULL, 8);
	RAW(rt_sigaction, SIGUSR1, NULL, bad, 8);
	RAW(rt_sigprocmask, SIG_BLOCK, bad, NULL, 8);
	RAW(rt_sigprocmask, SIG_BLOCK, NULL, bad, 8);
	RAW(rt_sigpending, bad, 8);
	RAW(sigaltstack, bad, NULL);
	RAW(futex, bad, 0, 1, NULL, NULL, 0);
	RAW(uname, bad);
	RAW(sysinfo, bad);
	RAW(getrlimit, RLIMIT_STACK, bad);
	RAW(prlimit64, 0, RLIMIT_STACK, NULL, bad);
	RAW(getrandom, bad, 100, 0);
	RAW(getrusage, RUSAGE_SELF, bad);
	RAW(sched_getaffinity, 0, 128, bad);
	RAW(socketpair, AF_UNIX, SOCK_STREAM, 0, bad);
	RAW(bind, sock, bad, 16);
	RAW(getsockname, sock, bad, bad);
	RAW(setsockopt, sock, SOL_SOCKET, SO_REUSEADDR, bad, 4);
	RAW(getsockopt, sock, SOL_SOCKET, SO_REUSEADDR, bad, bad);
	RAW(sendto, sock, bad, 16, 0, NULL, 0);
	RAW(sendmsg, sock, bad, 0);
	RAW(recvmsg, sock, bad, 0);
}

int main(void)
{
	static const struct {
		const char *name;
		void *address;
	} bad[] = {{"page 0", BAD_PTR}, {"top", BAD_TOP}, {"kernel", BAD_KERNEL}};
	struct sockaddr_in peer = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	char *guard =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	signal(SIGPIPE, SIG_IGN);
	zero = open("/dev/zero", O_RDONLY);
	file = open("file", O_RDWR | O_CREAT, 0600);
	dir = open(".", O_RDONLY | O_DIRECTORY);
	epfd = epoll_create1(0);
	sock = socket(AF_INET, SOCK_DGRAM, 0);
	tfd = timerfd_create(CLOCK_MONOTONIC, 0);
	NEED(zero >= 0 && file >= 0 && epfd >= 0 && sock >= 0 && tfd >= 0 && pipe(pipes) == 0 &&
		guard != MAP_FAILED);
	NEED(epoll_ctl(epfd, EPOLL_CTL_ADD, pipes[1], &(struct epoll_event){.events = EPOLLOUT}) ==
		0);
	NEED(connect(sock, (struct sockaddr *)&peer, sizeof(peer)) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		say("-- %s\n", bad[i].name);
		with(bad[i].address);
	}
	say("-- a buffer that ends in nothing\n");
	NEED(munmap(guard + PAGE, PAGE) == 0);
	memset(guard, 'x', PAGE);
	SHOW(syscall(SYS_open, guard + PAGE - 4, O_RDONLY));
	SHOW(syscall(SYS_uname, guard + PAGE - 4));
	SHOW(syscall(SYS_pipe2, guard + PAGE - 4, 0));
	SHOW(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, guard + PAGE - 8));
	say("-- a string of a page without an end\n");
	SHOW(syscall(SYS_open, guard, O_RDONLY));
	return 0;
}
