/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop over ptrace stops. Each traced thread has a record between the two stops of a system call. A thread that is
 * made by a traced one is traced from its first instruction (PTRACE_O_TRACECLONE and its kin); its first stop may be seen before
 * or after the event at its parent, so that a record is made at the first stop of any kind.
 */
#include "cli/trace/tracer.h"

#include "cli/trace/call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/wait.h>

#define GRACE_S 5
#define OPTIONS                                                                                    \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |  \
		PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)
#define SYSCALL_STOP (SIGTRAP | 0x80)

struct thread {
	pid_t tid;
	struct call call;
};

struct tracer {
	const struct trace_events *events;
	struct thread **threads; /* owned */
	size_t nthreads;
};

/* What the signal handler needs: the program, 0 when there is none, and how often it was asked to end. */
static volatile sig_atomic_t program_pid, asked;

/* The first SIGINT reaches the program as well. From the second request on the loop is woken until it has ended all. */
static void on_signal(int sig)
{
	int before = errno;

	if (!asked && sig != SIGINT && program_pid > 0)
		kill(program_pid, SIGTERM);
	if (asked || sig == SIGALRM)
		alarm(asked ? 1 : GRACE_S);
	asked++;
	errno = before;
}

static struct thread *thread_of(struct tracer *t, pid_t tid)
{
	struct thread **more, *new;

	for (size_t i = 0; i < t->nthreads; i++)
		if (t->threads[i]->tid == tid)
			return t->threads[i];
	more = realloc(t->threads, (t->nthreads + 1) * sizeof(struct thread *));
	if (!more)
		return NULL;
	t->threads = more;
	new = malloc(sizeof(*new));
	if (!new)
		return NULL;
	*new = (struct thread){.tid = tid};
	t->threads[t->nthreads++] = new;
	return new;
}

static void forget_thread(struct tracer *t, pid_t tid)
{
	for (size_t i = 0; i < t->nthreads; i++) {
		if (t->threads[i]->tid != tid)
			continue;
		free(t->threads[i]);
		t->threads[i] = t->threads[--t->nthreads];
		return;
	}
}

/* An execve that works has no path to read afterwards, and may end under another thread's id: it counts when it begins. */
static void on_enter(struct tracer *t, struct thread *th, const struct __ptrace_syscall_info *info)
{
	char path[PATH_MAX];
	uint64_t args[6];

	memcpy(args, info->entry.args, sizeof(args));
	call_enter(th->tid, info->entry.nr, args, &th->call);
	if (th->call.kind == CALL_EXEC && call_used_file(th->tid, &th->call, 0, path) &&
		!access(path, X_OK))
		t->events->used(t->events->arg, path);
}

static void on_return(struct tracer *t, struct thread *th, const struct __ptrace_syscall_info *info)
{
	char path[PATH_MAX];
	uint16_t port;

	if (th->call.kind == CALL_OTHER || th->call.kind == CALL_EXEC || info->exit.is_error)
		return;
	if (th->call.kind == CALL_LISTEN) {
		port = call_listening_port(th->tid, (int)th->call.flags);
		if (port)
			t->events->listens(t->events->arg, port);
	} else if (call_used_file(th->tid, &th->call, info->exit.rval, path)) {
		t->events->used(t->events->arg, path);
	}
	th->call.kind = CALL_OTHER;
}

static void on_syscall(struct tracer *t, pid_t tid)
{
	struct __ptrace_syscall_info info;
	struct thread *th = thread_of(t, tid);

	if (!th || ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY && info.arch == AUDIT_ARCH_X86_64)
		on_enter(t, th, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		on_return(t, th, &info);
}

/* Lets a stopped thread go on, in the way its stop wants it. */
static void on_stop(struct tracer *t, pid_t tid, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	if (sig == SYSCALL_STOP) {
		on_syscall(t, tid);
		sig = 0;
	} else if (event == PTRACE_EVENT_STOP &&
		(sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU)) {
		ptrace(PTRACE_LISTEN, tid, NULL, NULL); /* stopped by job control */
		return;
	} else if (event) {
		sig = 0;
	}
	ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(uintptr_t)sig);
}

static void kill_all(const struct tracer *t)
{
	for (size_t i = 0; i < t->nthreads; i++)
		kill(t->threads[i]->tid, SIGKILL);
}

static int trace_loop(struct tracer *t, pid_t program, int *status, struct err *err)
{
	for (;;) {
		int st;
		pid_t tid = waitpid(-1, &st, __WALL);

		if (tid < 0 && errno == EINTR) {
			if (asked > 1)
				kill_all(t);
			continue;
		}
		if (tid < 0)
			return errno == ECHILD ? 0 : err_sys(err, errno, "cannot wait");
		if (WIFSTOPPED(st)) {
			on_stop(t, tid, st);
			continue;
		}
		forget_thread(t, tid);
		if (tid == program) {
			*status = st;
			program_pid = 0;
		}
	}
}

/* The child: waits until it is traced, then becomes the program. What goes wrong is written to the pipe. */
static _Noreturn void become(
	const char *program, const char *const argv[], int go, int report, const sigset_t *mask)
{
	char c;
	int code;

	if (read(go, &c, 1) == 1 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 &&
		!sigprocmask(SIG_SETMASK, mask, NULL))
		execv(program, (char *const *)(uintptr_t)argv);
	code = errno;
	if (write(report, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

static int spawn(const char *program, const char *const argv[], const sigset_t *mask, int *report,
	pid_t *pid, struct err *err)
{
	int go[2], said[2], rc = 0;

	if (pipe2(go, O_CLOEXEC))
		return err_sys(err, errno, "cannot make a pipe");
	if (pipe2(said, O_CLOEXEC)) {
		rc = err_sys(err, errno, "cannot make a pipe");
		close(go[0]);
		close(go[1]);
		return rc;
	}
	*pid = fork();
	if (!*pid)
		become(program, argv, go[0], said[1], mask);
	if (*pid < 0 || ptrace(PTRACE_SEIZE, *pid, NULL, (void *)(uintptr_t)OPTIONS) ||
		ptrace(PTRACE_INTERRUPT, *pid, NULL, NULL) || write(go[1], "", 1) != 1)
		rc = err_sys(err, errno, "cannot trace a program");
	close(go[0]);
	close(go[1]);
	close(said[1]);
	*report = said[0];
	if (rc)
		close(said[0]);
	if (rc && *pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	return rc;
}

static int run_traced(struct tracer *t, const char *program, const char *const argv[],
	unsigned int seconds, const sigset_t *mask, int *status, struct err *err)
{
	int report _cleanup_close_ = -1, code, rc;
	pid_t pid = -1;

	rc = spawn(program, argv, mask, &report, &pid, err);
	if (rc)
		return rc;
	program_pid = pid;
	sigprocmask(SIG_SETMASK, mask, NULL);
	alarm(seconds);
	rc = trace_loop(t, pid, status, err);
	alarm(0);
	if (!rc && read(report, &code, sizeof(code)) == sizeof(code))
		rc = err_sys(err, code, "cannot run %s", program);
	return rc;
}

int trace_run(const char *program, const char *const argv[], unsigned int seconds,
	const struct trace_events *events, int *status, struct err *err)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGALRM};
	struct sigaction act = {.sa_handler = on_signal}, before[ARRAY_SIZE(signals)];
	struct tracer t = {.events = events};
	sigset_t held, mask;
	int rc;

	/* Held until the program is there to be told. */
	sigemptyset(&held);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&held, signals[i]);
	sigprocmask(SIG_BLOCK, &held, &mask);
	asked = 0;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &act, &before[i]);
	rc = run_traced(&t, program, argv, seconds, &mask, status, err);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &before[i], NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	for (size_t i = 0; i < t.nthreads; i++)
		free(t.threads[i]);
	free(t.threads);
	return rc;
}
