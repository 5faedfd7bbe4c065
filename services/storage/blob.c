/* SPDX-License-Identifier: Apache-2.0 */
#include "services/storage/blob_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define ID_MAX_BYTES  (BLOB_ID_BYTES - 1)
#define HEAD_BYTES    16
#define PNG_MIN_BYTES 33         /* signature and IHDR with its length, type and checksum */
#define GATHER_BYTES  (64 * KIB) /* when nobody says how many bytes will come */
#define TEMPORARY     ".new-"

struct blob_writer {
	struct blob_dir *dir;
	int fd;         /* -1: all that came is gathered, there is no file yet */
	bool temporary; /* the file has the name below */
	bool named;
	uint64_t len, max;
	uint32_t sum;
	unsigned char head[HEAD_BYTES];
	unsigned char *data; /* what was not written yet; NULL: nothing is gathered */
	size_t gathered, room;
	char name[BLOB_NAME_BYTES];
};

bool blob_id_good(const char *id)
{
	size_t len = strlen(id);

	return len >= 1 && len <= ID_MAX_BYTES && strspn(id, "0123456789") == len;
}

void blob_name_of(const char *id, enum blob_kind kind, char *out)
{
	snprintf(out, BLOB_NAME_BYTES, "%s.%s", id, kind == BLOB_INPUT ? "in" : "out");
}

/* --- the folder ------------------------------------------------------------------------------------------------------ */
static bool is_picture(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits >= 1 && digits <= ID_MAX_BYTES &&
		(strcmp(name + digits, ".in") == 0 || strcmp(name + digits, ".out") == 0);
}

static uint64_t picture_bytes(int64_t file_bytes)
{
	return file_bytes < BLOB_TRAILER_BYTES ? 0 : (uint64_t)file_bytes - BLOB_TRAILER_BYTES;
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
		if (strncmp(e->d_name, TEMPORARY, strlen(TEMPORARY)) == 0) {
			unlinkat(dir->fd, e->d_name, 0);
		} else if (is_picture(e->d_name) &&
			fstatat(dir->fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode) &&
			!((clear || st.st_size == 0) && unlinkat(dir->fd, e->d_name, 0) == 0)) {
			dir->bytes += picture_bytes(st.st_size);
			dir->count++;
		}
	}
	closedir(d);
	return 0;
}

/* Two owners would remove each other's temporary files. A file system without locks (tmpfs of an instance) has one user anyway. */
static int lock_folder(struct blob_dir *dir, const char *path, struct err *err)
{
	if (flock(dir->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return 0;
	return err_set(err, EBUSY, "another storage has the folder %s", path);
}

int blob_open(const char *path, uint64_t quota_bytes, struct blob_dir **out, struct err *err)
{
	struct blob_dir *dir = calloc(1, sizeof(*dir));
	int r;

	if (!dir)
		return err_set(err, ENOMEM, "out of memory");
	dir->quota = quota_bytes;
	dir->memory = BLOB_MEMORY_BYTES;
	blob_kept_init(dir);
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		r = err_sys(err, errno, "cannot make the folder %s", path);
		goto out_free;
	}
	dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0) {
		r = err_sys(err, errno, "cannot open the folder %s", path);
		goto out_free;
	}
	r = lock_folder(dir, path, err);
	if (r < 0)
		goto out_close;
	r = scan(dir, false);
	if (r < 0) {
		r = err_sys(err, -r, "cannot read the folder %s", path);
		goto out_close;
	}
	*out = dir;
	return 0;
out_close:
	close(dir->fd);
out_free:
	free(dir);
	return r;
}

void blob_set_memory(struct blob_dir *dir, size_t bytes)
{
	dir->memory = bytes;
}

void blob_close(struct blob_dir *dir)
{
	if (!dir)
		return;
	blob_kept_fini(dir);
	close(dir->fd);
	free(dir);
}

void blob_clear(struct blob_dir *dir)
{
	blob_kept_fini(dir);
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

int blob_sync_folder(struct blob_dir *dir)
{
	/* A file system without such a thing (tmpfs of an instance) has nothing to lose. */
	if (fsync(dir->fd) < 0 && errno != EINVAL && errno != ENOSYS && errno != EBADF &&
		errno != EISDIR)
		return -errno;
	return 0;
}

/* --- changing -------------------------------------------------------------------------------------------------------- */
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
	dir->bytes -= picture_bytes(size);
	dir->count--;
}

int blob_remove(struct blob_dir *dir, const char *id)
{
	int r = -ENOENT;

	for (int kind = BLOB_INPUT; kind <= BLOB_RESULT; kind++) {
		char name[BLOB_NAME_BYTES];
		int64_t size;

		blob_name_of(id, (enum blob_kind)kind, name);
		blob_forget(dir, name);
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

int blob_begin(
	struct blob_dir *dir, uint64_t max_bytes, uint64_t expect_bytes, struct blob_writer **out)
{
	struct blob_writer *w = calloc(1, sizeof(*w));
	uint64_t room = (expect_bytes ?: GATHER_BYTES) + BLOB_TRAILER_BYTES;

	if (!w)
		return -ENOMEM;
	w->dir = dir;
	w->max = max_bytes;
	w->sum = 0;
	w->fd = -1;
	w->room = room < BLOB_WRITE_BYTES ? (size_t)room : BLOB_WRITE_BYTES;
	*out = w;
	return 0;
}

static int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EDQUOT ? -ENOSPC : -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int make_temporary(struct blob_writer *w)
{
	struct blob_dir *dir = w->dir;

	if (w->fd >= 0)
		return 0;
	snprintf(w->name, sizeof(w->name), TEMPORARY "%d-%" PRIu64, getpid(), dir->serial++);
	w->fd = openat(dir->fd, w->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	w->temporary = w->fd >= 0;
	return w->fd < 0 ? -errno : 0;
}

static int flush(struct blob_writer *w)
{
	size_t n = w->gathered;

	w->gathered = 0;
	return n ? (make_temporary(w) ?: write_all(w->fd, w->data, n)) : 0;
}

static void release(struct blob_writer *w)
{
	blob_release(w->dir, w->data, w->room);
	w->data = NULL;
}

/* What fits is written later; what never would, at once. */
static int gather(struct blob_writer *w, const void *data, size_t len)
{
	int r = w->data && w->gathered + len > w->room ? flush(w) : 0;

	if (r < 0)
		return r;
	if (!w->data || len > w->room)
		return make_temporary(w) ?: write_all(w->fd, data, len);
	memcpy(w->data + w->gathered, data, len);
	w->gathered += len;
	return 0;
}

/* The head is kept until there is enough of it to say what it is. */
static int check_head(struct blob_writer *w, const void *data, size_t len)
{
	if (w->len < HEAD_BYTES) {
		size_t room = HEAD_BYTES - (size_t)w->len;

		memcpy(w->head + w->len, data, len < room ? len : room);
	}
	if (w->len + len < HEAD_BYTES)
		return 0;
	return blob_type_of(w->head, HEAD_BYTES) == BLOB_UNKNOWN ? -EBADMSG : 0;
}

int blob_write(struct blob_writer *w, const void *data, size_t len)
{
	struct blob_dir *dir = w->dir;
	int r;

	if (w->len + len > w->max)
		return -EMSGSIZE;
	if (dir->bytes + dir->writing + len > dir->quota)
		return -ENOSPC;
	r = check_head(w, data, len);
	if (r == 0 && w->len == 0 && !w->data)
		w->data = blob_hold(dir, w->room);
	if (r == 0)
		r = gather(w, data, len);
	if (r < 0)
		return r;
	w->sum = libdeflate_crc32(w->sum, data, len);
	w->len += len;
	dir->writing += len;
	return 0;
}

int blob_seal(struct blob_writer *w)
{
	unsigned char trailer[BLOB_TRAILER_BYTES];
	enum blob_type type =
		blob_type_of(w->head, w->len < HEAD_BYTES ? (size_t)w->len : HEAD_BYTES);
	int r;

	if (type == BLOB_UNKNOWN || (type == BLOB_PNG && w->len < PNG_MIN_BYTES))
		return -EBADMSG;
	blob_trailer_make(w->len, w->sum, trailer);
	r = gather(w, trailer, sizeof(trailer));
	if (r == 0 && w->fd < 0)
		return 0; /* all of it is in memory: written with its name */
	if (r == 0)
		r = flush(w);
	release(w);
	return r;
}

static void count(struct blob_writer *w)
{
	w->named = true;
	w->dir->bytes += w->len;
	w->dir->count++;
}

/* A picture that is in memory gets a file of its own. */
static int spill(struct blob_writer *w)
{
	int r = w->fd < 0 ? flush(w) : 0;

	release(w);
	return r;
}

/* A picture that is in memory: its file is made with its name, and written by one call. -EEXIST: it has a temporary one then. */
static int create(struct blob_writer *w, const char *name)
{
	struct blob_dir *dir = w->dir;
	int r;

	w->fd = openat(dir->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->fd < 0 && errno != EEXIST)
		return -errno;
	if (w->fd < 0)
		return spill(w) ?: -EEXIST;
	r = write_all(w->fd, w->data, w->gathered);
	release(w);
	if (r < 0) {
		unlinkat(dir->fd, name, 0);
		return r;
	}
	count(w);
	blob_keep(dir, name, w->fd);
	return 0;
}

int blob_name_free(struct blob_writer *w, const char *id, enum blob_kind kind)
{
	struct blob_dir *dir = w->dir;
	char name[BLOB_NAME_BYTES];
	int r = 0;

	blob_name_of(id, kind, name);
	if (w->fd < 0)
		return create(w, name);
	if (!dir->plain && renameat2(dir->fd, w->name, dir->fd, name, RENAME_NOREPLACE) < 0) {
		r = -errno;
		dir->plain = r == -EINVAL || r == -ENOSYS;
	}
	/* The folder is ours alone: nothing comes in between. */
	if (dir->plain && size_of(dir, name) >= 0)
		r = -EEXIST;
	else if (dir->plain)
		r = renameat(dir->fd, w->name, dir->fd, name) < 0 ? -errno : 0;
	if (r == 0)
		count(w);
	return r;
}

int blob_name(struct blob_writer *w, const char *id, enum blob_kind kind)
{
	struct blob_dir *dir = w->dir;
	char name[BLOB_NAME_BYTES];
	int64_t old;
	int r;

	if (w->named)
		return 0;
	r = spill(w);
	if (r < 0)
		return r;
	blob_name_of(id, kind, name);
	blob_forget(dir, name);
	old = size_of(dir, name);
	if (renameat(dir->fd, w->name, dir->fd, name) < 0)
		return -errno;
	uncount(dir, old);
	count(w);
	return 0;
}

bool blob_named(const struct blob_writer *w)
{
	return w->named;
}

int blob_sync(struct blob_writer *w)
{
	if (fsync(w->fd) < 0)
		return -errno;
	return w->named ? blob_sync_folder(w->dir) : 0;
}

void blob_unname(struct blob_writer *w, const char *id, enum blob_kind kind)
{
	struct stat own, there;
	char name[BLOB_NAME_BYTES];

	blob_name_of(id, kind, name);
	blob_forget(w->dir, name);
	if (w->named && fstat(w->fd, &own) == 0 &&
		fstatat(w->dir->fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		own.st_dev == there.st_dev && own.st_ino == there.st_ino &&
		unlinkat(w->dir->fd, name, 0) == 0)
		uncount(w->dir, there.st_size);
}

void blob_end(struct blob_writer *w)
{
	if (!w)
		return;
	if (w->temporary && !w->named)
		unlinkat(w->dir->fd, w->name, 0);
	w->dir->writing -= w->len;
	release(w);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}
