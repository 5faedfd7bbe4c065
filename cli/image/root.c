/* SPDX-License-Identifier: Apache-2.0 */
/* The root folder of an image: every open goes through open_below(), which leaves no way out. */
#include "cli/image/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define TREE_MAX_DEPTH 32

static int open_below(int dir, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | resolve};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int root_new(struct root *root, struct err *err)
{
	struct root r = {.fd = -1};
	int rc = temp_new(&r.temp, err);

	if (rc)
		return rc;
	r.fd = temp_folder(&r.temp, "root");
	if (r.fd < 0) {
		rc = err_sys(err, -r.fd, "cannot make %s/root", r.temp.path);
		temp_fini(&r.temp);
		return rc;
	}
	*root = r;
	return 0;
}

void root_fini(struct root *root)
{
	if (root->fd >= 0)
		close(root->fd);
	temp_fini(&root->temp);
	*root = (struct root){.fd = -1};
}

/* --- adding ---------------------------------------------------------------------------------------------------- */
static int make_folder(const struct root *root, const char *path)
{
	char parent[1100];
	const char *slash = strrchr(path, '/');
	int dir _cleanup_close_ = -1;

	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 1,
		slash ? path : ".");
	dir = open_below(root->fd, parent, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
	if (dir < 0)
		return dir;
	if (mkdirat(dir, slash ? slash + 1 : path, 0755))
		return -errno;
	return fchmodat(dir, slash ? slash + 1 : path, 0755, 0) ? -errno : 0;
}

/* Makes all folders of a path relative to the root; with `all` its last part too. */
static int make_way(const struct root *root, const char *path, bool all)
{
	char part[1100];

	for (size_t n = 0; path[n]; n++) {
		int rc;

		n += strcspn(path + n, "/");
		if (!path[n] && !all)
			return 0;
		if (n >= sizeof(part))
			return -ENAMETOOLONG;
		memcpy(part, path, n);
		part[n] = '\0';
		rc = make_folder(root, part);
		if (rc && rc != -EEXIST)
			return rc;
		if (!path[n])
			return 0;
	}
	return 0;
}

static int count_entry(struct root *root, struct err *err)
{
	if (++root->files > ROOT_MAX_FILES)
		return err_set(err, E2BIG, "more than %u files", ROOT_MAX_FILES);
	return 0;
}

int root_add_folder(struct root *root, const char *to, struct err *err)
{
	int fd _cleanup_close_ = -1;
	int rc = count_entry(root, err);

	if (rc)
		return rc;
	rc = make_way(root, to + 1, true);
	if (!rc) {
		fd = open_below(root->fd, to + 1, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
		rc = fd < 0 ? fd : 0;
	}
	return rc < 0 ? err_sys(err, -rc, "cannot make %s in the image", to) : 0;
}

/* The time of last change, in whole seconds. */
static int set_time(int fd, time_t s)
{
	return futimens(fd, (const struct timespec[2]){{.tv_sec = s}, {.tv_sec = s}});
}

/* A new, empty file in the image for writing. */
static int create_file(struct root *root, const char *to, bool executable, int *fd, struct err *err)
{
	int rc = count_entry(root, err), n;

	if (rc)
		return rc;
	rc = make_way(root, to + 1, false);
	n = rc ? rc
	       : open_below(
			 root->fd, to + 1, O_WRONLY | O_CREAT | O_EXCL, 0600, RESOLVE_NO_SYMLINKS);
	if (n < 0)
		return err_sys(err, -n, "cannot make %s in the image", to);
	if (fchmod(n, executable ? 0755 : 0644)) {
		rc = err_sys(err, errno, "cannot set the mode of %s", to);
		close(n);
		return rc;
	}
	*fd = n;
	return 0;
}

int root_add_text(struct root *root, const char *to, const char *text, struct err *err)
{
	int fd _cleanup_close_ = -1;
	int rc = create_file(root, to, false, &fd, err);

	if (rc)
		return rc;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text) || set_time(fd, 0))
		return err_sys(err, errno, "cannot write %s", to);
	return 0;
}

int root_add_file(
	struct root *root, const char *to, int source_fd, bool executable, struct err *err)
{
	int fd _cleanup_close_ = -1;
	int rc = create_file(root, to, executable, &fd, err);
	struct stat st;
	off_t at = 0;

	while (!rc) {
		ssize_t n = sendfile(fd, source_fd, &at, 1 << 30);

		if (!n)
			return fstat(source_fd, &st) || set_time(fd, st.st_mtim.tv_sec)
				? err_sys(err, errno, "cannot set the time of %s", to)
				: 0;
		if (n < 0)
			return err_sys(err, errno, "cannot copy to %s", to);
		root->bytes += (uint64_t)n;
		if (root->bytes > ROOT_MAX_BYTES)
			return err_set(
				err, E2BIG, "more than %llu MiB of files", ROOT_MAX_BYTES / MIB);
	}
	return rc;
}

/* --- trees ----------------------------------------------------------------------------------------------------- */
struct tree {
	struct root *root;
	root_visit_fn *visit;
	void *arg;
	int depth;
};

static int add_tree(struct tree *t, const char *to, int source_fd, struct err *err);

static int add_link(struct root *root, const char *to, int dir, const char *name, struct err *err)
{
	char target[4096];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return err_sys(err, errno, "cannot read the link for %s", to);
	target[n] = '\0';
	return root_add_link(root, to, target, err);
}

int root_add_link(struct root *root, const char *to, const char *target, struct err *err)
{
	const char *slash = strrchr(to, '/');
	char parent[1100];
	int at _cleanup_close_ = -1;
	int rc = count_entry(root, err);

	if (!rc && make_way(root, to + 1, false))
		rc = err_set(err, EINVAL, "cannot make the folder of %s in the image", to);
	if (rc)
		return rc;
	snprintf(parent, sizeof(parent), ".%.*s", (int)(slash - to), to);
	at = open_below(root->fd, parent, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
	if (at < 0 || symlinkat(target, at, slash + 1))
		return err_sys(err, at < 0 ? -at : errno, "cannot make %s in the image", to);
	return 0;
}

static int add_entry(struct tree *t, const char *to, int dir, const char *name, struct err *err)
{
	int fd _cleanup_close_ = -1;
	char path[1024];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", to, name) >= sizeof(path))
		return err_set(err, ENAMETOOLONG, "%s/%s is too long", to, name);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? add_link(t->root, path, dir, name, err)
				      : err_sys(err, errno, "cannot open the source of %s", path);
	return add_tree(t, path, fd, err);
}

static int add_folder_entries(struct tree *t, const char *to, int source_fd, struct err *err)
{
	struct dirent **list;
	int n = scandirat(source_fd, ".", &list, NULL, alphasort), rc = 0;

	if (n < 0)
		return err_sys(err, errno, "cannot read the folder for %s", to);
	t->depth++;
	for (int i = 0; i < n; i++) {
		if (!rc && strcmp(list[i]->d_name, ".") != 0 && strcmp(list[i]->d_name, "..") != 0)
			rc = add_entry(t, to, source_fd, list[i]->d_name, err);
		free(list[i]);
	}
	t->depth--;
	free(list);
	return rc;
}

static int add_tree(struct tree *t, const char *to, int source_fd, struct err *err)
{
	struct stat st;
	int rc;

	if (fstat(source_fd, &st))
		return err_sys(err, errno, "cannot look at the source of %s", to);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return err_set(err, EINVAL, "the source of %s is no file or folder", to);
	if (S_ISREG(st.st_mode) && !*to)
		return err_set(err, EISDIR, "a file can not be put at /");
	rc = t->visit ? t->visit(t->arg, source_fd, err) : 0;
	if (rc)
		return rc;
	if (S_ISREG(st.st_mode) && t->depth && t->root->there && !strcmp(to, t->root->there))
		return 0;
	if (S_ISREG(st.st_mode))
		return root_add_file(t->root, to, source_fd, (st.st_mode & 0111) != 0, err);
	if (t->depth == TREE_MAX_DEPTH)
		return err_set(err, ELOOP, "%s is nested too deeply", to);
	rc = *to ? root_add_folder(t->root, to, err) : 0;
	return rc ? rc : add_folder_entries(t, to, source_fd, err);
}

int root_add_tree(struct root *root, const char *to, int source_fd, root_visit_fn *visit, void *arg,
	struct err *err)
{
	struct tree tree = {.root = root, .visit = visit, .arg = arg};

	return add_tree(&tree, strcmp(to, "/") != 0 ? to : "", source_fd, err);
}

/* --- times ----------------------------------------------------------------------------------------------------- */
/* Takes fd. */
static int fix_times_below(int fd)
{
	static const struct timespec zero[2];
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int rc = 0;

	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	while (!rc && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || e->d_type == DT_REG)
			continue;
		if (e->d_type == DT_LNK) {
			rc = utimensat(fd, e->d_name, zero, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
			continue;
		}
		rc = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		rc = rc < 0 ? -errno : fix_times_below(rc);
	}
	if (!rc && futimens(fd, zero))
		rc = -errno;
	closedir(d);
	return rc;
}

int root_fix_times(struct root *root, struct err *err)
{
	int fd = openat(root->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : fix_times_below(fd);

	return rc ? err_sys(err, -rc, "cannot set the times of the image's folders") : 0;
}

/* Whatever it is: an image has /bin as a folder or as a link. */
static bool is_there(const struct root *root, const char *path)
{
	int fd _cleanup_close_ = open_below(root->fd, path + 1, O_PATH | O_NOFOLLOW, 0, 0);

	return fd >= 0;
}

/* --- what every image has -------------------------------------------------------------------------------------- */
/* /etc/hosts and /etc/resolv.conf are not among it: the libOS makes them for an instance, where the image has none (libos/fs/etc.h). */
int root_add_system(struct root *root, const char *cmdline, struct err *err)
{
	static const char *const folders[] = {"/bin", "/dev", "/etc", "/home", "/lib", "/proc",
		"/root", "/run", "/srv", "/sys", "/tmp", "/usr", "/var/cache", "/var/lib",
		"/var/log", "/var/tmp"};
	const struct {
		const char *path, *text;
	} files[] = {
		{"/etc/passwd",
			"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/"
			"false\n"},
		{"/etc/group", "root:x:0:\nnogroup:x:65534:\n"},
		{"/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"},
		{"/etc/uigniter/cmdline", cmdline},
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(folders) && !rc; i++) {
		rc = is_there(root, folders[i]) ? 0 : root_add_folder(root, folders[i], err);
		rc = rc == -ELOOP ? 0 : rc;
	}
	for (size_t i = 0; i < ARRAY_SIZE(files) && !rc; i++) {
		rc = root_add_text(root, files[i].path, files[i].text, err);
		if (i + 1 < ARRAY_SIZE(files) && (rc == -EEXIST || rc == -ELOOP))
			rc = 0;
	}
	return rc;
}
