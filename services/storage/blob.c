/* SPDX-License-Identifier: Apache-2.0 */
#include "services/storage/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define ID_MAX_BYTES 18
#define NAME_BYTES   48
#define HEAD_BYTES   33 /* signature and IHDR with its length, type and checksum */
#define TEMPORARY    ".new-"

struct blob_dir {
	int fd;
	uint64_t quota, bytes, count, serial;
};

struct blob_writer {
	struct blob_dir *dir;
	int fd;
	uint64_t len, max;
	unsigned char head[HEAD_BYTES];
	char name[NAME_BYTES];
};

static const unsigned char png_head[16] = {
	0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R'};

bool blob_id_good(const char *id)
{
	size_t len = strlen(id);

	return len >= 1 && len <= ID_MAX_BYTES && strspn(id, "0123456789") == len;
}

static void name_of(const char *id, enum blob_kind kind, char *out)
{
	snprintf(out, NAME_BYTES, "%s.%s.png", id, kind == BLOB_INPUT ? "in" : "out");
}

/* Leftovers go (clear: pictures as well), the rest is counted. */
static int scan(struct blob_dir *dir, bool clear)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;

	if (!d) {
		int r = -errno;

		if (fd >= 0)
			close(fd);
		return r;
	}
	while ((e = readdir(d))) {
		size_t len = strlen(e->d_name);

		if (strncmp(e->d_name, TEMPORARY, strlen(TEMPORARY)) == 0) {
			unlinkat(dir->fd, e->d_name, 0);
		} else if (len > 4 && strcmp(e->d_name + len - 4, ".png") == 0 &&
			fstatat(dir->fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode) && !(clear && unlinkat(dir->fd, e->d_name, 0) == 0)) {
			dir->bytes += (uint64_t)st.st_size;
			dir->count++;
		}
	}
	closedir(d);
	return 0;
}

int blob_open(const char *path, uint64_t quota_bytes, struct blob_dir **out, struct err *err)
{
	struct blob_dir *dir = calloc(1, sizeof(*dir));
	int r;

	if (!dir)
		return err_set(err, ENOMEM, "out of memory");
	dir->quota = quota_bytes;
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		r = err_sys(err, errno, "cannot make the folder %s", path);
		goto out_free;
	}
	dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0) {
		r = err_sys(err, errno, "cannot open the folder %s", path);
		goto out_free;
	}
	r = scan(dir, false);
	if (r < 0) {
		r = err_sys(err, -r, "cannot read the folder %s", path);
		close(dir->fd);
		goto out_free;
	}
	*out = dir;
	return 0;
out_free:
	free(dir);
	return r;
}

void blob_close(struct blob_dir *dir)
{
	if (!dir)
		return;
	close(dir->fd);
	free(dir);
}

void blob_clear(struct blob_dir *dir)
{
	dir->bytes = dir->count = 0;
	scan(dir, true);
}

uint64_t blob_bytes(const struct blob_dir *dir)
{
	return dir->bytes;
}

uint64_t blob_count(const struct blob_dir *dir)
{
	return dir->count;
}

bool blob_exists(struct blob_dir *dir, const char *id, enum blob_kind kind)
{
	char name[NAME_BYTES];
	struct stat st;

	name_of(id, kind, name);
	return fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int blob_read(struct blob_dir *dir, const char *id, enum blob_kind kind)
{
	char name[NAME_BYTES];
	int fd;

	name_of(id, kind, name);
	fd = openat(dir->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Size of a file, or -1. */
static int64_t size_of(struct blob_dir *dir, const char *name)
{
	struct stat st;

	return fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -1 : st.st_size;
}

/* Forgets a file that has gone or was replaced. */
static void uncount(struct blob_dir *dir, int64_t size)
{
	if (size < 0)
		return;
	dir->bytes -= (uint64_t)size;
	dir->count--;
}

int blob_remove(struct blob_dir *dir, const char *id)
{
	int r = -ENOENT;

	for (int kind = BLOB_INPUT; kind <= BLOB_RESULT; kind++) {
		char name[NAME_BYTES];
		int64_t size;

		name_of(id, (enum blob_kind)kind, name);
		size = size_of(dir, name);
		if (unlinkat(dir->fd, name, 0) < 0) {
			if (errno != ENOENT)
				return -errno;
			continue;
		}
		uncount(dir, size);
		r = 0;
	}
	return r;
}

int blob_begin(struct blob_dir *dir, uint64_t max_bytes, struct blob_writer **out)
{
	struct blob_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->dir = dir;
	w->max = max_bytes;
	snprintf(w->name, sizeof(w->name), TEMPORARY "%d-%" PRIu64, getpid(), dir->serial++);
	w->fd = openat(dir->fd, w->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->fd < 0) {
		int r = -errno;

		free(w);
		return r;
	}
	*out = w;
	return 0;
}

/* Checks as early as there is something to check. */
static bool looks_like_png(const struct blob_writer *w)
{
	size_t n = w->len < sizeof(png_head) ? (size_t)w->len : sizeof(png_head);

	return memcmp(w->head, png_head, n) == 0;
}

int blob_write(struct blob_writer *w, const void *data, size_t len)
{
	const char *p = data;

	if (w->len + len > w->max)
		return -EMSGSIZE;
	if (w->dir->bytes + w->len + len > w->dir->quota)
		return -ENOSPC;
	if (w->len < HEAD_BYTES) {
		size_t n = HEAD_BYTES - w->len < len ? HEAD_BYTES - w->len : len;

		memcpy(w->head + w->len, data, n);
	}
	w->len += len;
	if (!looks_like_png(w))
		return -EBADMSG;
	while (len > 0) {
		ssize_t n = write(w->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EDQUOT ? -ENOSPC : -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

void blob_abort(struct blob_writer *w)
{
	if (!w)
		return;
	close(w->fd);
	unlinkat(w->dir->fd, w->name, 0);
	free(w);
}

int blob_commit(struct blob_writer *w, const char *id, enum blob_kind kind)
{
	struct blob_dir *dir = w->dir;
	char name[NAME_BYTES];
	int64_t old;
	int r = 0;

	name_of(id, kind, name);
	if (w->len < HEAD_BYTES || !looks_like_png(w))
		r = -EBADMSG;
	else if (fsync(w->fd) < 0)
		r = -errno;
	if (r < 0) {
		blob_abort(w);
		return r;
	}
	old = size_of(dir, name);
	if (renameat(dir->fd, w->name, dir->fd, name) < 0) {
		r = -errno;
		blob_abort(w);
		return r;
	}
	uncount(dir, old);
	dir->bytes += w->len;
	dir->count++;
	close(w->fd);
	free(w);
	/* The name itself; a file system without such a thing (tmpfs) has nothing to lose. */
	if (fsync(dir->fd) < 0 && errno != EINVAL && errno != ENOSYS && errno != EBADF &&
		errno != EISDIR)
		return -errno;
	return 0;
}
