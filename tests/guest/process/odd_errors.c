/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of calls that change what the machine and the process are called or ranked: for root, and for another user. */
#include "tests/guest/guest.h"

#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>

static char name[200];

static void names(void)
{
	struct utsname u;

	/* The name it has: on Linux it is the machine's. */
	NEED(uname(&u) == 0);
	RAW(setdomainname, u.domainname, strlen(u.domainname));
	NEED(uname(&u) == 0);
	say("%s\n", u.domainname);
	RAW(setdomainname, name, 65);
	RAW(setdomainname, name, -1);
	RAW(setdomainname, BAD_PTR, 3);
}

static void ranks(void)
{
	RAW(getpriority, PRIO_PROCESS, -1);
	RAW(getpriority, PRIO_PGRP, -1);
	RAW(getpriority, PRIO_USER, -2);
	RAW(getpriority, 3, 0);
	RAW(setpriority, PRIO_USER, -2, 1);
	SHOW_OK(syscall(SYS_ioprio_get, 1, 0));
	RAW(ioprio_get, 0, 0);
	RAW(ioprio_get, 4, 0);
	RAW(ioprio_get, 1, 99999);
	RAW(ioprio_set, 1, 0, 4 << 13);
	RAW(ioprio_set, 1, 0, 3);
	RAW(ioprio_set, 1, 99999, 2 << 13);
	RAW(ioprio_set, 1, 0, 2 << 13 | 5);
	RAW(ioprio_get, 1, 0);
	SHOW(sched_get_priority_max(6));
	SHOW(sched_get_priority_min(6));
	SHOW(sched_get_priority_max(99));
}

static void times(void)
{
	struct timeval tv = {-1, 0};

	RAW(settimeofday, BAD_PTR, NULL);
	RAW(settimeofday, NULL, BAD_PTR);
	RAW(settimeofday, &tv, NULL);
	tv = (struct timeval){1, 1000000};
	RAW(settimeofday, &tv, NULL);
	tv.tv_usec = -1;
	RAW(settimeofday, &tv, NULL);
}

static void user(void)
{
	struct timeval tv = {1, 0};
	struct rlimit more = {100, 100}, all = {100, RLIM_INFINITY};

	say("-- another user\n");
	NEED(setrlimit(RLIMIT_CPU, &more) == 0 && setpriority(PRIO_PROCESS, 0, 5) == 0);
	NEED(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
	RAW(setdomainname, "x", 1);
	SHOW(sethostname("x", 1));
	SHOW(setpriority(PRIO_PROCESS, 0, 4));
	SHOW(setpriority(PRIO_PROCESS, 0, 6));
	SHOW(nice(-1));
	RAW(ioprio_set, 1, 0, 1 << 13);
	RAW(settimeofday, &tv, NULL);
	SHOW(clock_settime(CLOCK_REALTIME, &(struct timespec){1, 0}));
	SHOW(setrlimit(RLIMIT_CPU, &all));
	SHOW(setrlimit(RLIMIT_CPU, &more));
}

int main(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600);

	names();
	ranks();
	times();
	SHOW(wait4(INT32_MIN, NULL, 0, NULL));
	SHOW(personality(0xffffffff));
	SHOW(personality(ADDR_NO_RANDOMIZE));
	SHOW(personality(0));
	RAW(arch_prctl, 0x1011, 0);
	SHOW(ioctl(fd, 0x40049409, -1));
	SHOW(ioctl(fd, 0x40049409, fd));
	user();
	return 0;
}
