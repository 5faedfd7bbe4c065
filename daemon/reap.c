/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reap.h"

#include "daemon/spawn.h"
#include "lib/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#define KILL_WAIT_MS  30000
#define LOCK_TRIES    100
#define LOCK_PAUSE_NS 10000000
#define REAP_TRIES    20
#define REAP_PAUSE_NS 10000000

static void cleanup_dirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

void reap_dir(const char *path)
{
	_cleanup_(cleanup_dirp) DIR *dir = opendir(path);
	struct dirent *e;

	if (!dir)
		return;
	while ((e = readdir(dir))) {
		char below[4096 + NAME_MAX + 2];

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), e->d_name, 0) == 0 || (errno != EISDIR && errno != EPERM))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		reap_tree(below);
	}
	if (rmdir(path) < 0)
		log_warn("cannot remove a folder", "path=%s error=%d", path, errno);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path); /* whether all went is seen at the folder itself */
	return 0;
}

int reap_tree(const char *path)
{
	int r = nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 ? -errno : 0;

	if (rmdir(path) == 0 || errno == ENOENT)
		return 0;
	return r < 0 ? r : -errno;
}

/* It is not our child, so its end is seen through a pidfd only. 0 or -errno. */
static int end_process(pid_t pid, const char *name)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	if (pidfd < 0)
		return -errno;
	kill(-pid, SIGKILL); /* the session that it leads */
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	if (poll(&p, 1, KILL_WAIT_MS) != 1)
		return -ETIMEDOUT;
	log_info("ended a process that an earlier run left", "vm=%s pid=%d", name, (int)pid);
	return 0;
}

static int try_process(const char *dir)
{
	char record[4096 + NAME_MAX + 2 + sizeof(REAP_RECORD)];
	pid_t pid;
	int r;

	snprintf(record, sizeof(record), "%s/%s", dir, REAP_RECORD);
	r = spawn_record_read(record, &pid);
	if (r == 0)
		r = end_process(pid, dir);
	return r == -ENOENT || r == -ESRCH || r == -EINVAL ? 0 : r; /* there is none */
}

/* Without its folder nobody would know of the process: what fails for a moment (no descriptor, no memory) is tried again. */
int reap_process(const char *dir)
{
	const struct timespec pause = {.tv_nsec = REAP_PAUSE_NS};
	int r = try_process(dir);

	for (int n = 0; r < 0 && r != -ETIMEDOUT && n < REAP_TRIES; n++) {
		nanosleep(&pause, NULL);
		r = try_process(dir);
	}
	if (r < 0)
		log_error("a process of an earlier run may be left", "vm=%s error=%d", dir, -r);
	return r;
}

static void reap_one(const char *vm_dir, const char *name)
{
	char dir[4096 + NAME_MAX + 2];

	snprintf(dir, sizeof(dir), "%s/%s", vm_dir, name);
	if (reap_process(dir) == 0)
		reap_dir(dir);
}

/* Files that shells share: they are made anew when they are wanted. */
static void remove_shared(const char *run_dir)
{
	_cleanup_(cleanup_dirp) DIR *dir = opendir(run_dir);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (strncmp(e->d_name, REAP_SHARED, strlen(REAP_SHARED)) == 0)
			unlinkat(dirfd(dir), e->d_name, 0);
	}
}

static int make_dir(const char *path, mode_t mode, struct err *err)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make %s", path);
	return 0;
}

int reap_lock(int fd)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

	for (int n = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; n++) {
		if (errno != EWOULDBLOCK || n == LOCK_TRIES)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* Whether the path still leads to the open file: a manager that ends removes its lock while others may wait for it. */
static bool is_there(int fd, const char *path)
{
	struct stat mine, now;

	return fstat(fd, &mine) == 0 && stat(path, &now) == 0 && mine.st_dev == now.st_dev &&
		mine.st_ino == now.st_ino;
}

static int take_lock(const char *run_dir, struct err *err)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", run_dir);
	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return err_sys(err, errno, "cannot open %s", path);
		if (reap_lock(fd) < 0) {
			close(fd);
			return err_set(err, EBUSY,
				"another uigniterd uses %s: stop it, or choose another --run-dir",
				run_dir);
		}
		if (is_there(fd, path))
			return fd;
		close(fd);
	}
}

int reap_take_run_dir(const char *run_dir, int *lock, struct err *err)
{
	char vm_dir[4096];
	int r = make_dir(run_dir, 0755, err), fd;

	if (r < 0)
		return r;
	fd = take_lock(run_dir, err);
	if (fd < 0)
		return fd;
	snprintf(vm_dir, sizeof(vm_dir), "%s/vm", run_dir);
	r = make_dir(vm_dir, 0700, err);
	snprintf(vm_dir, sizeof(vm_dir), "%s/" REAP_EMPTY, run_dir);
	r = r < 0 ? r : make_dir(vm_dir, 0555, err);
	if (r < 0) {
		close(fd);
		return r;
	}
	*lock = fd;
	return 0;
}

int reap_run_dir(
	const char *run_dir, bool (*keep)(void *arg, const char *name), void *arg, struct err *err)
{
	_cleanup_(cleanup_dirp) DIR *dir = NULL;
	char vm_dir[4096];
	struct dirent *e;

	snprintf(vm_dir, sizeof(vm_dir), "%s/vm", run_dir);
	dir = opendir(vm_dir);
	if (!dir)
		return err_sys(err, errno, "cannot read %s", vm_dir);
	while ((e = readdir(dir))) {
		if (e->d_name[0] != '.' && !keep(arg, e->d_name))
			reap_one(vm_dir, e->d_name);
	}
	remove_shared(run_dir);
	return 0;
}

void reap_end(const char *run_dir)
{
	char path[4096];

	remove_shared(run_dir);
	snprintf(path, sizeof(path), "%s/vm", run_dir);
	if (rmdir(path) < 0 && errno != ENOENT)
		log_warn("cannot remove a folder", "path=%s error=%d", path, errno);
	snprintf(path, sizeof(path), "%s/" REAP_EMPTY, run_dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/lock", run_dir);
	unlink(path); /* under the lock: whoever waits for it makes another, see take_lock() */
}
