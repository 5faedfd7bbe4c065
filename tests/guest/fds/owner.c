/* SPDX-License-Identifier: Apache-2.0 */
/* Who is told of a file by signals: set, read back, and refused. */
#include "tests/guest/guest.h"

static int p[2], tid;

static void both(const char *what, int fd)
{
	struct f_owner_ex o = {-1, -1};

	NEED(fcntl(fd, F_GETOWN_EX, &o) == 0);
	say("%s: type %d, %s\n", what, o.type,
		o.pid == 0                  ? "nobody"
			: o.pid == getpid() ? "this process"
					    : "somebody");
}

static void ex(int fd, int type, int pid)
{
	struct f_owner_ex o = {type, pid};
	int rc = fcntl(fd, F_SETOWN_EX, &o);

	say("F_SETOWN_EX type %d: %s\n", type, rc < 0 ? errname(errno) : "ok");
}

int main(void)
{
	NEED(pipe(p) == 0);
	tid = (int)syscall(SYS_gettid);
	SHOW(fcntl(p[0], F_GETOWN));
	SHOW(fcntl(p[0], F_GETSIG));
	SHOW(fcntl(p[0], F_SETOWN, getpid()));
	ASK(fcntl(p[0], F_GETOWN) == getpid());
	ASK(fcntl(dup(p[0]), F_GETOWN) == getpid());
	both("by F_SETOWN", p[0]);
	SHOW(fcntl(p[1], F_GETOWN));
	SHOW(fcntl(p[0], F_SETOWN, 999999));
	SHOW(fcntl(p[0], F_SETOWN, -999999));
	SHOW(fcntl(p[0], F_SETOWN, INT32_MIN));
	ASK(fcntl(p[0], F_GETOWN) == getpid());
	ex(p[0], F_OWNER_TID, tid);
	both("thread", p[0]);
	ex(p[0], F_OWNER_PID, getpid());
	both("process", p[0]);
	ex(p[0], 3, getpid());
	ex(p[0], -1, getpid());
	ex(p[0], F_OWNER_TID, 999999);
	ex(p[0], F_OWNER_PID, 999999);
	SHOW(fcntl(p[0], F_SETOWN_EX, BAD_PTR));
	SHOW(fcntl(p[0], F_GETOWN_EX, BAD_PTR));
	SHOW(fcntl(p[0], F_SETOWN, 0));
	both("nobody", p[0]);
	SHOW(fcntl(p[0], F_SETSIG, SIGUSR1) < 0 || fcntl(p[0], F_GETSIG) != SIGUSR1);
	SHOW(fcntl(p[0], F_SETSIG, 65));
	SHOW(fcntl(p[0], F_SETSIG, -1));
	SHOW(fcntl(p[0], F_SETSIG, 0));
	SHOW(fcntl(99, F_SETOWN, 0));
	SHOW(fcntl(open("/", O_PATH), F_SETOWN, getpid()));
	return 0;
}
