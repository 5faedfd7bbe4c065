/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watcher makes the folder, so that there is none without a watcher, however its maker ends. It does nothing but system calls, so that it may
 * be a fork of any process. SIGTERM and the like of a terminal or a group do not reach it.
 */
#include "cli/image/temp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A child of the maker may be adding files while it ends itself. */
#define REMOVAL_ROUNDS 100
#define RANDOM_BYTES   6 /* mkdtemp(3) */

void temp_remove_children(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			temp_remove(dirfd(d), e->d_name);
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

void temp_remove(int dir, const char *name)
{
	int fd;

	if (!unlinkat(dir, name, 0) || (errno != EISDIR && errno != EPERM))
		return;
	fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	temp_remove_children(fd);
	close(fd);
	unlinkat(dir, name, AT_REMOVEDIR);
}

static void remove_all(const char *path)
{
	for (int i = 0; i < REMOVAL_ROUNDS && !access(path, F_OK); i++)
		temp_remove(AT_FDCWD, path);
}

/* What the watcher says: the path is the template's but for its last characters. */
struct word {
	int error;
	char random[RANDOM_BYTES];
};

static _Noreturn void watch(char *path, int end)
{
	struct word word = {0};
	sigset_t all;
	char c;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	dup2(end, 0);
	close_range(1, ~0u, 0);
	if (!mkdtemp(path))
		word.error = errno;
	memcpy(word.random, path + strlen(path) - RANDOM_BYTES, RANDOM_BYTES);
	if (send(0, &word, sizeof(word), MSG_NOSIGNAL) == sizeof(word) && !word.error)
		while (read(0, &c, 1) < 0 && errno == EINTR)
			;
	if (!word.error)
		remove_all(path);
	_exit(0);
}

static int hear(struct temp *t)
{
	struct word word;
	ssize_t n;

	do
		n = recv(t->pipe, &word, sizeof(word), MSG_WAITALL);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(word))
		return n < 0 ? -errno : -EPIPE;
	if (!word.error)
		memcpy(t->path + strlen(t->path) - RANDOM_BYTES, word.random, RANDOM_BYTES);
	return -word.error;
}

static int start_watcher(struct temp *t)
{
	int ends[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	t->watcher = fork();
	rc = t->watcher < 0 ? -errno : 0;
	if (!t->watcher) {
		close(ends[0]);
		watch(t->path, ends[1]);
	}
	close(ends[1]);
	t->pipe = ends[0];
	if (rc)
		t->watcher = 0;
	return rc ? rc : hear(t);
}

int temp_new(struct temp *temp, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	struct temp t = {.fd = -1, .pipe = -1};
	int rc;

	if (asprintf(&t.path, "%s/uigniter-image-XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp") < 0)
		return err_set(err, ENOMEM, "out of memory");
	rc = start_watcher(&t);
	if (!rc) {
		t.fd = open(t.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = t.fd < 0 ? -errno : 0;
	}
	if (rc) {
		err_sys(err, -rc, "cannot make a temporary folder %s", t.path);
		temp_fini(&t);
		return rc;
	}
	*temp = t;
	return 0;
}

void temp_fini(struct temp *t)
{
	if (!t->path)
		return;
	if (t->fd >= 0) { /* else it is the watcher's */
		remove_all(t->path);
		close(t->fd);
	}
	if (t->pipe >= 0)
		close(t->pipe);
	while (t->watcher && waitpid(t->watcher, NULL, 0) < 0 && errno == EINTR)
		;
	free(t->path);
	*t = (struct temp){.fd = -1, .pipe = -1};
}

int temp_folder(const struct temp *temp, const char *name)
{
	int fd;

	if (mkdirat(temp->fd, name, 0755))
		return -errno;
	fd = openat(temp->fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* mkdir's mode is under the umask */
	if (fd < 0 || fchmodat(temp->fd, name, 0755, 0))
		return -errno;
	return fd;
}

int temp_file(const struct temp *temp)
{
	int fd = openat(temp->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd < 0 ? -errno : fd;
	fd = openat(temp->fd, "file", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	unlinkat(temp->fd, "file", 0);
	return fd;
}
