/* SPDX-License-Identifier: Apache-2.0 */
/* Sources of an image: below the context by openat2, of the machine by what is found behind all links. */
#include "cli/image/source.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static bool programs_only;

void source_programs_only(void)
{
	programs_only = true;
}

bool source_is_system_path(const char *path)
{
	static const char *const folders[] = {"/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc"};
	size_t count = ARRAY_SIZE(folders) - programs_only;

	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(folders[i]);

		if (!strncmp(path, folders[i], n) && path[n] == '/')
			return true;
	}
	return false;
}

int source_path(int fd, char path[PATH_MAX], struct err *err)
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	if (n < 0)
		return err_sys(err, errno, "%s", link);
	path[n] = '\0';
	return 0;
}

static bool is_public(const struct stat *st)
{
	mode_t wanted = S_ISDIR(st->st_mode) ? S_IROTH | S_IXOTH : S_IROTH;

	return !st->st_uid && (st->st_mode & wanted) == wanted;
}

static int not_public(const char *path, struct err *err)
{
	return err_set(err, EACCES,
		"%s is not a file of the system that everyone may read (allow it with "
		"--host-files)",
		path);
}

int source_check_public(int fd, struct err *err)
{
	char path[PATH_MAX];
	struct stat st;
	int rc;

	if (fstat(fd, &st))
		return err_sys(err, errno, "cannot look at a source");
	if (is_public(&st))
		return 0;
	rc = source_path(fd, path, err);
	return rc ? rc : not_public(path, err);
}

/* Everyone may go all the way to it: a file in a private folder is private. */
static int check_way(const char *path, struct err *err)
{
	char part[PATH_MAX];
	struct stat st;

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (lstat(part, &st))
			return err_sys(err, errno, "%s", part);
		if (!S_ISDIR(st.st_mode) || st.st_uid || !(st.st_mode & S_IXOTH))
			return not_public(path, err);
	}
	return 0;
}

static int check_system_file(int fd, struct err *err)
{
	char path[PATH_MAX];
	int rc = source_path(fd, path, err);

	if (!rc && !source_is_system_path(path))
		rc = not_public(path, err);
	if (!rc)
		rc = check_way(path, err);
	return rc ? rc : source_check_public(fd, err);
}

static int open_below(int context, const char *path)
{
	struct open_how how = {.flags = FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};

	return (int)syscall(SYS_openat2, context, path, &how, sizeof(how));
}

int source_open(int context, const char *path, bool any, int *fd, struct err *err)
{
	int n = *path == '/' ? open(path, FLAGS) : open_below(context, path), rc = 0;

	if (n < 0 && errno == EXDEV)
		return err_set(err, EXDEV, "%s leads out of the context", path);
	if (n < 0)
		return err_sys(err, errno, "%s", path);
	if (*path == '/' && !any)
		rc = check_system_file(n, err);
	if (rc) {
		close(n);
		return rc;
	}
	*fd = n;
	return 0;
}
