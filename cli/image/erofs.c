/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkfs.erofs as a child: uncompressed, so that files can be mapped in place; no inline tails, so that every regular file
 * begins on a page; owner, UUID and extended attributes fixed, so that the same files (with the same times) give the same bytes.
 */
#include "cli/image/build.h"

#include "lib/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* "uigniter", version 1 of the layout: the same files make the same image. */
#define IMAGE_UUID_OPTION "-U7569676e-6974-6572-8000-000000000001"

/* The child's whole environment. Times of files are kept up to this one, the year 2100, and it is the image's own. */
static const char *const environment[] = {"SOURCE_DATE_EPOCH=4102444800", NULL};

/* The process id, or -errno. */
static pid_t spawn(const char *const argv[], int out)
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
			(char *const *)(uintptr_t)environment);
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

static int run(const char *const argv[], struct err *err)
{
	struct buf text _cleanup_buf_ = {.max = 4096};
	int pipe_fd[2], status = 0;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC))
		return err_sys(err, errno, "cannot make a pipe");
	pid = spawn(argv, pipe_fd[1]);
	close(pipe_fd[1]);
	if (pid > 0) {
		read_output(pipe_fd[0], &text);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(pipe_fd[0]);
	if (pid == -ENOENT)
		return err_set(err, ENOENT, "%s is missing (install it: apt install erofs-utils)",
			argv[0]);
	if (pid < 0)
		return err_sys(err, -pid, "cannot start %s", argv[0]);
	if (status)
		return err_set(err, EIO, "%s failed: %.300s", argv[0], text.data ? text.data : "");
	return 0;
}

int erofs_make(const char *dir, int *fd, uint64_t *bytes, struct err *err)
{
	char *root _cleanup_free_ = NULL, *file _cleanup_free_ = NULL;
	int f _cleanup_close_ = -1;
	struct stat st;
	int rc;

	if (asprintf(&root, "%s/root", dir) < 0 || asprintf(&file, "%s/image.erofs", dir) < 0)
		return err_set(err, ENOMEM, "out of memory");
	rc = run((const char *const[]){"mkfs.erofs", "--all-root", "-x-1", "-Enoinline_data",
			 IMAGE_UUID_OPTION, file, root, NULL},
		err);
	if (rc)
		return rc;
	f = open(file, O_RDONLY | O_CLOEXEC);
	if (f < 0 || fstat(f, &st))
		return err_sys(err, errno, "%s", file);
	*bytes = (uint64_t)st.st_size;
	*fd = steal_fd(&f);
	return 0;
}
