/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image/child.h"

#include "lib/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

/* The process id, or -errno. */
static pid_t spawn(const char *const argv[], const char *const environment[], int out)
{
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc)
		return -rc;
	rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&actions, out, 2);
	if (!rc)
		rc = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv,
			environment ? (char *const *)(uintptr_t)environment : environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc ? -rc : pid;
}

/* Reads until the child closes its end; what does not fit is dropped. */
static void read_output(int fd, struct buf *text)
{
	char piece[1024];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			buf_add(text, piece, (size_t)n);
}

int child_run(const char *const argv[], const char *const environment[], const char *package,
	struct err *err)
{
	struct buf text _cleanup_buf_ = {.max = 4096};
	int pipe_fd[2], status = 0;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC))
		return err_sys(err, errno, "cannot make a pipe");
	pid = spawn(argv, environment, pipe_fd[1]);
	close(pipe_fd[1]);
	if (pid > 0) {
		read_output(pipe_fd[0], &text);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(pipe_fd[0]);
	if (pid == -ENOENT)
		return err_set(err, ENOENT, "%s is missing (install it: apt install %s)", argv[0],
			package);
	if (pid < 0)
		return err_sys(err, -pid, "cannot start %s", argv[0]);
	if (status)
		return err_set(err, EIO, "%s failed: %.300s", argv[0], text.data ? text.data : "");
	return 0;
}
