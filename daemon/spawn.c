/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child shares the daemon's memory until it runs its program (CLONE_VM | CLONE_VFORK on a stack of its own): no copy of
 * page tables, and an error is simply written where the parent finds it. So the child calls nothing that allocates
 * or locks. It writes its record itself, before the program: the daemon may be killed at any point, and no
 * process is without a record.
 */
#include "daemon/spawn.h"

#include "daemon/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CHILD_STACK_BYTES (64 * 1024)
#define STAT_BYTES        1024
#define STAT_STARTTIME    22 /* field number, proc(5) */
#define FD_OUT_OF_WAY     64

/* These never return from the child, and would leave their frames poisoned for the next one. */
#define IN_CHILD __attribute__((no_sanitize_address))

struct child {
	const struct spawn *spawn;
	sigset_t mask;
	char oom_score[OOM_TEXT_BYTES];
	int error;        /* written by the child */
	const char *what; /* the step that failed */
};

static IN_CHILD int write_record(const char *path)
{
	char stat[STAT_BYTES];
	ssize_t n;
	int in = open("/proc/self/stat", O_RDONLY | O_CLOEXEC), out;

	if (in < 0)
		return -1;
	n = read(in, stat, sizeof(stat));
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (n <= 0 || out < 0 || write(out, stat, (size_t)n) != n)
		return -1;
	return 0;
}

/* Its own, though it shares the daemon's memory: the kernel knows a vfork. One that can not be written (a /proc that is read-only) is
 * no reason not to run. */
static IN_CHILD void be_first_to_go(const char *score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, score, strlen(score)) < 0)
		errno = 0;
	close(fd);
}

/* First all out of the way of the numbers that they shall have, then there (which clears close-on-exec). */
static IN_CHILD int place_fds(const struct spawn *s)
{
	int moved[SPAWN_FDS_MAX], stdio = fcntl(s->stdio, F_DUPFD_CLOEXEC, FD_OUT_OF_WAY);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (unsigned i = 0; i < s->fd_count; i++) {
		moved[i] = fcntl(s->fds[i], F_DUPFD_CLOEXEC, FD_OUT_OF_WAY);
		if (moved[i] < 0)
			return -1;
	}
	if (stdio < 0 || null < 0 || dup2(null, 0) < 0 || dup2(stdio, 1) < 0 || dup2(stdio, 2) < 0)
		return -1;
	for (unsigned i = 0; i < s->fd_count; i++) {
		if (dup2(moved[i], SPAWN_FD_FIRST + (int)i) < 0)
			return -1;
	}
	/* All of the daemon's are close-on-exec; a library's that is not must not reach a guest's monitor. */
	return close_range(SPAWN_FD_FIRST + s->fd_count, ~0u, CLOSE_RANGE_CLOEXEC) < 0 &&
			errno != ENOSYS
		? -1
		: 0;
}

static IN_CHILD int drop_privileges(const struct spawn *s)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	if (syscall(SYS_setgroups, 0, NULL) < 0 ||
		syscall(SYS_setresgid, s->gid, s->gid, s->gid) < 0 ||
		syscall(SYS_setresuid, s->uid, s->uid, s->uid) < 0)
		return -1;
	return syscall(SYS_capset, &head, none) < 0 ? -1 : 0;
}

/* A new program takes over what is ignored: by us, or by the shell that started us in the background. */
static IN_CHILD void reset_signals(const sigset_t *mask)
{
	static const int ignored[] = {SIGPIPE, SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGCHLD};
	struct sigaction dfl = {.sa_handler = SIG_DFL};

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		sigaction(ignored[i], &dfl, NULL);
	sigprocmask(SIG_SETMASK, mask, NULL);
}

/* A script needs its path, for its interpreter. */
static IN_CHILD int run_program(const struct spawn *s)
{
	if (s->program > 0)
		syscall(SYS_execveat, s->program, "", s->argv, s->envp, AT_EMPTY_PATH);
	if (s->program > 0 && errno != ENOENT)
		return -1;
	return execve(s->path, s->argv, s->envp);
}

/* With all that it starts. */
static IN_CHILD int enter_cgroup(int procs)
{
	return write(procs, "0", 1) == 1 ? 0 : -1;
}

static IN_CHILD int child_main(void *arg)
{
	struct child *c = arg;
	const struct spawn *s = c->spawn;

#define STEP(name, call)                                                                           \
	do {                                                                                       \
		c->what = name;                                                                    \
		if ((call) < 0) {                                                                  \
			c->error = errno;                                                          \
			_exit(127);                                                                \
		}                                                                                  \
	} while (0)
	STEP("start a session", setsid());
	be_first_to_go(c->oom_score);
	STEP("write its record", s->record ? write_record(s->record) : 0);
	STEP("enter its cgroup", s->cgroup > 0 ? enter_cgroup(s->cgroup) : 0);
	STEP("enter its network namespace", s->netns >= 0 ? setns(s->netns, CLONE_NEWNET) : 0);
	STEP("place its descriptors", place_fds(s));
	STEP("enter its folder", chdir(s->cwd ? s->cwd : "/"));
	STEP("drop privileges", s->drop ? drop_privileges(s) : 0);
	STEP("be mortal", s->mortal ? prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) : 0);
	reset_signals(&c->mask);
	STEP("run the program", run_program(s));
#undef STEP
	_exit(127);
}

pid_t spawn_process(const struct spawn *spawn, struct err *err)
{
	static char stack[CHILD_STACK_BYTES] __attribute__((aligned(16)));
	struct child child = {.spawn = spawn};
	sigset_t all, old;
	pid_t pid;
	int error;

	oom_child_score(child.oom_score);
	sigemptyset(&child.mask);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = clone(child_main, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &child);
	error = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return err_sys(err, error, "cannot start %s", spawn->path);
	if (child.error) {
		waitpid(pid, NULL, 0);
		return err_sys(
			err, child.error, "cannot start %s: cannot %s", spawn->path, child.what);
	}
	return pid;
}

/* Field number of a stat line; the second one, the name in brackets, may hold blanks. */
static unsigned long long stat_field(const char *stat, unsigned number)
{
	const char *p = strrchr(stat, ')');

	if (!p)
		return 0;
	for (unsigned i = 2; i < number; i++) {
		p = strchr(p + 1, ' ');
		if (!p)
			return 0;
	}
	return strtoull(p + 1, NULL, 10);
}

static int read_stat(const char *path, char stat[STAT_BYTES])
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, stat, STAT_BYTES - 1);
	if (n < 0)
		return -errno;
	stat[n] = '\0';
	return 0;
}

int spawn_record_read(const char *record, pid_t *out)
{
	char then[STAT_BYTES], now[STAT_BYTES], path[64];
	unsigned long long start;
	int r = read_stat(record, then);
	long pid;

	if (r < 0)
		return r;
	pid = strtol(then, NULL, 10);
	start = stat_field(then, STAT_STARTTIME);
	if (pid <= 1 || !start)
		return -EINVAL;
	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	r = read_stat(path, now);
	if (r < 0 && r != -ENOENT && r != -ESRCH)
		return r;
	if (r < 0 || stat_field(now, STAT_STARTTIME) != start)
		return -ESRCH;
	*out = (pid_t)pid;
	return 0;
}
