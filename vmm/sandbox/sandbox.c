/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/sandbox/sandbox.h"

#include "lib/err.h"
#include "lib/util.h"
#include "vmm/sandbox/filters.h" /* made by filters.c */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

/* Of the user, threads too. The device loop may fork for a snapshot; one that was taken over is not to fill the machine with that. */
#define TASKS_MAX 256

static struct {
	bool prepared;
	uid_t uid;
	gid_t gid;
	int root; /* the folder; never closed */
} sandbox = {.root = -1};

static int check_folder(int fd, const char *path, struct err *err)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct stat st;
	int entries = 0;

	if (!dir) {
		int code = errno;

		if (again >= 0)
			close(again);
		return err_sys(err, code, "%s", path);
	}
	while (readdir(dir))
		entries++;
	closedir(dir);
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "%s", path);
	if (entries > 2 || st.st_uid != 0 || (st.st_mode & 022))
		return err_set(err, EPERM,
			"%s: the sandbox wants an empty folder that only root can write to", path);
	return 0;
}

int sandbox_prepare(uid_t uid, gid_t gid, const char *root, struct err *err)
{
	_cleanup_close_ int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "%s", root);
	if (geteuid() != 0)
		return err_set(err, EPERM, "the sandbox can be entered by root only");
	if (uid == 0 || gid == 0)
		return err_set(err, EINVAL, "the sandbox's user and group must not be root");
	r = check_folder(fd, root, err);
	if (r < 0)
		return r;
	if (setrlimit(RLIMIT_NPROC, &(struct rlimit){TASKS_MAX, TASKS_MAX}) < 0)
		return err_sys(err, errno, "a limit of processes");
	tzset(); /* reads a file; the C library would do it with the first time that it prints */
	sandbox.uid = uid;
	sandbox.gid = gid;
	sandbox.root = steal_fd(&fd);
	sandbox.prepared = true;
	return 0;
}

/* The raw calls are those of this thread alone; the C library's would stop all others for them. */
static int become(uid_t uid, gid_t gid, int root)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	/* The root of its own: another thread may have files to open yet. */
	if (unshare(CLONE_FS) < 0 || fchdir(root) < 0 || chroot(".") < 0)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_setgroups, 0, NULL) < 0 ||
		syscall(SYS_setresgid, gid, gid, gid) < 0 ||
		syscall(SYS_setresuid, uid, uid, uid) < 0 || syscall(SYS_capset, &head, none) < 0)
		return -errno;
	return 0;
}

static int filter(enum sandbox_role role)
{
	const struct sandbox_filter *f = &sandbox_filters[role];
	struct sock_fprog program = {
		.len = f->count, .filter = (struct sock_filter *)(uintptr_t)f->code};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

int sandbox_enter_as(enum sandbox_role role, uid_t uid, gid_t gid)
{
	int r;

	if (!sandbox.prepared)
		return 0;
	r = become(uid, gid, sandbox.root);
	return r < 0 ? r : filter(role);
}

int sandbox_enter_in(enum sandbox_role role, uid_t uid, gid_t gid, int root)
{
	int r;

	if (!sandbox.prepared)
		return 0;
	/* Abstract names of Unix sockets belong to a network namespace, and a filter does not see which name is asked for. */
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	r = become(uid, gid, root);
	return r < 0 ? r : filter(role);
}

bool sandbox_wanted(void)
{
	return sandbox.prepared;
}

int sandbox_enter(enum sandbox_role role)
{
	return sandbox_enter_as(role, sandbox.uid, sandbox.gid);
}
