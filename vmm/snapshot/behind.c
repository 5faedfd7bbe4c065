/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/snapshot/behind.h"

#include "lib/err.h"
#include "lib/loop.h"
#include "vmm/snapshot/save.h"
#include "vmm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct snapshot_behind {
	snapshot_behind_fn *fn;
	void *arg;
	pid_t pid;
	int fd;             /* owned; read end of the pipe */
	struct loop_io *io; /* owned */
};

/* The child. Its threads, its KVM and its page map are the parent's: it has the memory, and the descriptors. */
static _Noreturn void write_files(struct snapshot_saving *saving, int say_fd)
{
	struct err err = {0};
	int r;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		_exit(1);
	r = snapshot_saving_write(saving, &err);
	if (r < 0 && write(say_fd, &err, sizeof(err)) != (ssize_t)sizeof(err))
		_exit(1);
	_exit(r < 0);
}

static void reap(struct snapshot_behind *b, int *status)
{
	while (waitpid(b->pid, status, 0) < 0 && errno == EINTR)
		;
}

/* One that is still at it is left alone: in a sandbox nobody can be ended. It ends by itself, or with this process. */
void snapshot_behind_free(struct snapshot_behind *b)
{
	if (!b)
		return;
	loop_io_del(b->io);
	if (b->fd >= 0)
		close(b->fd);
	free(b);
}

/* It has said why it failed, or has ended. */
static void on_pipe(void *arg, uint32_t events)
{
	struct snapshot_behind *b = arg;
	struct err err = {0};
	ssize_t n = read(b->fd, &err, sizeof(err));
	int status = 0;

	(void)events;
	if (n < 0 && errno == EINTR)
		return;
	reap(b, &status);
	if (n != (ssize_t)sizeof(err)) {
		err = (struct err){0};
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			err_set(&err, EIO, "the process that writes the snapshot was ended");
	}
	b->fn(b->arg, &err);
}

static int start(struct snapshot_behind *b, struct snapshot_saving *saving, struct loop *loop,
	struct err *err)
{
	int fd[2], r;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	b->fd = fd[0];
	b->pid = fork();
	if (b->pid == 0)
		write_files(saving, fd[1]);
	r = b->pid < 0 ? err_sys(err, errno, "cannot make a process for the snapshot") : 0;
	close(fd[1]);
	if (r == 0) {
		r = loop_io_add(loop, b->fd, EPOLLIN, on_pipe, b, &b->io);
		if (r < 0)
			err_sys(err, -r, "event loop");
	}
	return r;
}

int snapshot_behind(struct vm *vm, int state_fd, int mem_fd, snapshot_behind_fn *fn, void *arg,
	struct snapshot_behind **out, struct err *err)
{
	struct snapshot_behind *b = calloc(1, sizeof(*b));
	struct snapshot_saving *saving;
	int r;

	if (!b)
		return err_set(err, ENOMEM, "out of memory");
	*b = (struct snapshot_behind){.fn = fn, .arg = arg, .fd = -1};
	r = snapshot_saving_new(vm, state_fd, mem_fd, &saving, err);
	if (r == 0) {
		r = start(b, saving, vm->loop, err);
		snapshot_saving_free(saving);
	}
	if (r < 0)
		snapshot_behind_free(b);
	else
		*out = b;
	return r;
}
