/* SPDX-License-Identifier: Apache-2.0 */
/* One layer's entries, with libarchive as the reader of tar and openat2 as the only way to a place. */
#include "cli/image/layer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define READ_BYTES    (64 * 1024)
#define NAME_BYTES    4096
#define FOLDERS_DEPTH 128 /* below the root: removal and mkfs hold a descriptor for each level */
#define TIME_MAX      4102444800 /* 2100, as cli/image/erofs.c */
#define WHITEOUT      ".wh."
#define OPAQUE        ".wh..wh..opq"

struct layer {
	struct root *root;
	struct archive *tar;
	bool plain;            /* no layer: a name is a name */
	char name[NAME_BYTES]; /* of the entry, cleaned; "": the root itself */
	struct err *err;
};

static int tar_error(struct archive *a, struct err *err)
{
	int code = archive_errno(a);

	return err_set(err, code == ENOMEM || code == ENOSPC ? code : EINVAL, "archive: %.200s",
		archive_error_string(a) ? archive_error_string(a) : "broken");
}

/* --- packed streams --------------------------------------------------------------------------------------------- */
static int copy_stream(struct archive *a, int out, uint64_t max, struct digest *d, struct err *err)
{
	char *piece _cleanup_free_ = malloc(READ_BYTES);
	uint64_t sum = 0;
	la_ssize_t n;

	if (!piece)
		return err_set(err, ENOMEM, "out of memory");
	while ((n = archive_read_data(a, piece, READ_BYTES)) > 0) {
		sum += (uint64_t)n;
		if (sum > max)
			return err_set(err, E2BIG, "more than %llu MiB unpacked",
				(unsigned long long)(max / MIB));
		digest_add(d, piece, (size_t)n);
		if (write(out, piece, (size_t)n) != n)
			return err_sys(
				err, errno ? errno : ENOSPC, "cannot write a temporary file");
	}
	return n < 0 ? tar_error(a, err) : 0;
}

int layer_inflate(int fd, int out, uint64_t max, char digest[DIGEST_TEXT_BYTES], struct err *err)
{
	struct digest *d _cleanup_(digest_freep) = digest_new();
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	int rc = -ENOMEM;

	if (!d || !a)
		goto out;
	archive_read_support_format_raw(a);
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_zstd(a);
	if (lseek(fd, 0, SEEK_SET) < 0)
		rc = err_sys(err, errno, "cannot read the archive");
	else if (archive_read_open_fd(a, fd, READ_BYTES) || archive_read_next_header(a, &entry))
		rc = tar_error(a, err);
	else
		rc = copy_stream(a, out, max, d, err);
	if (!rc)
		digest_end(d, digest);
	if (!rc && !*digest)
		rc = -ENOMEM;
out:
	archive_read_free(a);
	return rc == -ENOMEM ? err_set(err, ENOMEM, "out of memory") : rc;
}

/* --- places ----------------------------------------------------------------------------------------------------- */
/* Parts without "" and "."; -EINVAL for "..", too long ones, too many. */
static int clean_name(const char *raw, char out[NAME_BYTES])
{
	size_t len = 0;

	while (*raw) {
		size_t n = strcspn(raw, "/");

		if (n == 2 && !memcmp(raw, "..", 2))
			return -EINVAL;
		if (n > NAME_MAX || len + n + 2 > NAME_BYTES)
			return -EINVAL;
		if (n && !(n == 1 && *raw == '.')) {
			if (len)
				out[len++] = '/';
			memcpy(out + len, raw, n);
			len += n;
		}
		raw += n + (raw[n] == '/');
	}
	out[len] = '\0';
	return 0;
}

static int open_in(const struct root *root, const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	long fd = syscall(SYS_openat2, root->fd, *path ? path : ".", &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* Links can make a short name a deep place: what counts is where a folder really is. */
static int check_depth(const struct root *root, int fd)
{
	char link[40], path[PATH_MAX];
	ssize_t n;
	int depth = 0;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	if (n < 0 || n == sizeof(path))
		return -ELOOP;
	for (ssize_t i = (ssize_t)strlen(root->temp.path); i < n; i++)
		depth += path[i] == '/';
	return depth > FOLDERS_DEPTH ? -ELOOP : 0;
}

static int count_entry(struct root *root)
{
	return ++root->files > ROOT_MAX_FILES ? -E2BIG : 0;
}

static int make_in(struct root *root, int dir, const char *name, mode_t mode)
{
	int rc = count_entry(root);

	if (!rc)
		rc = check_depth(root, dir);
	if (!rc && mkdirat(dir, name, mode))
		rc = -errno;
	if (!rc && fchmodat(dir, name, mode, 0))
		rc = -errno;
	return rc;
}

/* A folder, with all on the way to it made as far as it is not there; path is the same afterwards. A descriptor or -errno. */
static int open_folder(struct root *root, char *path)
{
	int fd = open_in(root, path, O_PATH | O_DIRECTORY), dir, rc;
	char *slash;

	if (fd != -ENOENT || !*path)
		return fd;
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	dir = slash ? open_folder(root, path) : open_in(root, "", O_PATH | O_DIRECTORY);
	if (slash)
		*slash = '/';
	if (dir < 0)
		return dir;
	rc = make_in(root, dir, slash ? slash + 1 : path, 0755);
	close(dir);
	return rc ? rc : open_in(root, path, O_PATH | O_DIRECTORY);
}

int layer_folder(struct root *root, const char *path)
{
	char name[NAME_BYTES];
	int fd = clean_name(path, name) ?: open_folder(root, name);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/* The folder that an entry is in; *base: its name there, in path. make: what is missing is made. */
static int open_parent(struct root *root, char *path, bool make, const char **base)
{
	char *slash = strrchr(path, '/'), none[1] = "";
	int dir;

	*base = slash ? slash + 1 : path;
	if (slash)
		*slash = '\0';
	dir = make ? open_folder(root, slash ? path : none)
		   : open_in(root, slash ? path : none, O_PATH | O_DIRECTORY);
	if (slash)
		*slash = '/';
	return dir;
}

static int at_entry(const struct layer *l, int rc)
{
	if (!rc)
		return 0;
	if (rc == -E2BIG)
		return err_set(l->err, E2BIG, "more than %u files, or %llu MiB of them",
			ROOT_MAX_FILES, ROOT_MAX_BYTES / MIB);
	return err_sys(l->err, -rc, "cannot unpack /%.300s", l->name);
}

/* --- whiteouts -------------------------------------------------------------------------------------------------- */
static int whiteout(struct layer *l, struct archive_entry *entry)
{
	const char *base, *name;
	int dir _cleanup_close_ = -1;

	(void)entry;
	base = strrchr(l->name, '/');
	base = base ? base + 1 : l->name;
	if (strncmp(base, WHITEOUT, strlen(WHITEOUT)) != 0)
		return 0;
	name = base + strlen(WHITEOUT);
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	dir = open_parent(l->root, l->name, false, &base);
	if (dir < 0)
		return dir == -ENOENT || dir == -ENOTDIR ? 0 : dir;
	if (!strcmp(base, OPAQUE))
		temp_remove_children(dir);
	else if (strncmp(name, WHITEOUT, strlen(WHITEOUT)) != 0) /* others are notes of aufs */
		temp_remove(dir, name);
	return 0;
}

/* --- entries ---------------------------------------------------------------------------------------------------- */
static int copy_data(struct layer *l, int fd, int64_t size)
{
	const void *piece;
	size_t len;
	la_int64_t at;
	int r;

	if (size < 0 || (uint64_t)size > ROOT_MAX_BYTES - l->root->bytes)
		return -E2BIG;
	l->root->bytes += (uint64_t)size;
	while ((r = archive_read_data_block(l->tar, &piece, &len, &at)) == ARCHIVE_OK) {
		if (at < 0 || at > size || len > (uint64_t)(size - at))
			return -EINVAL;
		if (len && pwrite(fd, piece, len, at) != (ssize_t)len)
			return errno ? -errno : -ENOSPC;
	}
	if (r != ARCHIVE_EOF)
		return tar_error(l->tar, l->err);
	return ftruncate(fd, size) ? -errno : 0;
}

static int add_regular(struct layer *l, struct archive_entry *e, int dir, const char *base)
{
	time_t s = archive_entry_mtime(e);
	int fd _cleanup_close_ =
		openat(dir, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -errno : copy_data(l, fd, archive_entry_size(e));

	if (rc)
		return rc;
	s = s < 0 ? 0 : s > TIME_MAX ? TIME_MAX : s;
	if (fchmod(fd, (archive_entry_perm(e) & 0777) | 0400) ||
		futimens(fd, (const struct timespec[2]){{.tv_sec = s}, {.tv_sec = s}}))
		return -errno;
	return 0;
}

static int add_hard_link(struct layer *l, const char *raw, int dir, const char *base)
{
	char target[NAME_BYTES];
	const char *name;
	struct stat st;
	int from _cleanup_close_ = -1;

	if (clean_name(raw, target) || !*target)
		return -EINVAL;
	from = open_parent(l->root, target, false, &name);
	if (from < 0)
		return from;
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EINVAL;
	return linkat(from, name, dir, base, 0) ? -errno : 0;
}

static int add_folder(struct layer *l, struct archive_entry *e, int dir, const char *base)
{
	mode_t mode = (archive_entry_perm(e) & 01777) | 0700;
	struct stat st;

	if (!fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode))
		return fchmodat(dir, base, mode, 0) ? -errno : 0;
	temp_remove(dir, base);
	return make_in(l->root, dir, base, mode);
}

static int add_in(struct layer *l, struct archive_entry *e, int dir, const char *base)
{
	const char *link = archive_entry_hardlink(e);
	mode_t type = archive_entry_filetype(e);
	int rc;

	if (!link && type == AE_IFDIR)
		return add_folder(l, e, dir, base);
	if (!link && type != AE_IFREG && type != AE_IFLNK)
		return 0; /* devices, sockets, pipes */
	rc = count_entry(l->root);
	if (rc)
		return rc;
	temp_remove(dir, base);
	if (link)
		return add_hard_link(l, link, dir, base);
	if (type == AE_IFREG)
		return add_regular(l, e, dir, base);
	link = archive_entry_symlink(e);
	if (!link || !*link || strlen(link) >= NAME_BYTES)
		return -EINVAL;
	return symlinkat(link, dir, base) ? -errno : 0;
}

static bool is_the_systems(const char *name)
{
	static const char *const own[] = {"proc", "sys", "dev", "etc/uigniter"};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		size_t n = strlen(own[i]);

		if (!strncmp(name, own[i], n) && (!name[n] || name[n] == '/'))
			return true;
	}
	return false;
}

static int add(struct layer *l, struct archive_entry *entry)
{
	const char *base = strrchr(l->name, '/');
	int dir _cleanup_close_ = -1;

	base = base ? base + 1 : l->name;
	if (!*l->name)
		return 0;
	if (!l->plain && (is_the_systems(l->name) || !strncmp(base, WHITEOUT, strlen(WHITEOUT))))
		return 0;
	dir = open_parent(l->root, l->name, true, &base);
	return dir < 0 ? dir : add_in(l, entry, dir, base);
}

/* --- the archive ------------------------------------------------------------------------------------------------ */
typedef int entry_fn(struct layer *l, struct archive_entry *entry);

static int each_entry(struct layer *l, entry_fn *fn)
{
	struct archive_entry *entry;
	int rc = 0, r;

	while (!rc && (r = archive_read_next_header(l->tar, &entry)) != ARCHIVE_EOF) {
		const char *raw;

		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return tar_error(l->tar, l->err);
		raw = archive_entry_pathname(entry);
		if (!raw || clean_name(raw, l->name))
			return err_set(l->err, EINVAL,
				"archive: \"%.200s\" is no name of a file in it", raw ? raw : "?");
		rc = fn(l, entry);
		/* what is not unpacked counts too: an archive of a billion empty entries ends */
		if (!rc && fn == add && ++l->root->entries > ROOT_MAX_ENTRIES)
			rc = -E2BIG;
		if (rc)
			return l->err->code ? rc : at_entry(l, rc);
	}
	return rc;
}

static int read_all(struct layer *l, int fd, entry_fn *fn)
{
	int rc;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(l->err, errno, "cannot read the archive");
	l->tar = archive_read_new();
	if (!l->tar)
		return err_set(l->err, ENOMEM, "out of memory");
	archive_read_support_format_tar(l->tar);
	archive_read_support_format_empty(l->tar);
	rc = archive_read_open_fd(l->tar, fd, READ_BYTES) ? tar_error(l->tar, l->err)
							  : each_entry(l, fn);
	archive_read_free(l->tar);
	return rc;
}

static int apply(struct root *root, int fd, bool plain, struct err *err)
{
	/* libarchive converts names by the locale: bytes stay bytes */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL), before;
	struct err own = {0};
	struct layer l = {.root = root, .plain = plain, .err = err ? err : &own};
	int rc;

	before = utf8 ? uselocale(utf8) : NULL;
	rc = plain ? 0 : read_all(&l, fd, whiteout);
	if (!rc)
		rc = read_all(&l, fd, add);
	if (utf8) {
		uselocale(before);
		freelocale(utf8);
	}
	return rc;
}

int layer_apply(struct root *root, int fd, struct err *err)
{
	return apply(root, fd, false, err);
}

int context_unpack(struct root *root, int fd, struct err *err)
{
	return apply(root, fd, true, err);
}
