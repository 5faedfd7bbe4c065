/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digest is computed and the writing pushed on (sync_file_range) as an upload comes, so that its end is short. A crash
 * before the rename leaves UUID.part, one between rename and record a file that nobody holds: both go at the next start.
 */
#include "daemon/image/content.h"

#include "daemon/id.h"
#include "lib/log.h"

#include <assert.h>
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define PUSH_BYTES     (4 * MIB)
#define EROFS_MAGIC    0xe0f5e1e2u /* little endian, at byte 1024 (Linux, fs/erofs/erofs_fs.h) */
#define EROFS_MAGIC_AT 1024
#define SUFFIX         ".erofs"
#define PART_SUFFIX    ".part"

struct contents {
	int dir;
	char *path; /* of dir, absolute */
	bool keep;
	struct content *first;
};

struct content_upload {
	struct contents *contents;
	struct digest *digest; /* owned */
	int fd;
	char file[ID_TEXT_BYTES + sizeof(PART_SUFFIX)];
	uint64_t bytes, pushed;
};

int contents_new(const char *dir, struct contents **out, struct err *err)
{
	struct contents *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_sys(err, ENOMEM, "images");
	c->dir = -1;
	c->path = strdup(dir);
	if (!c->path)
		r = err_sys(err, ENOMEM, "images");
	else if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		r = err_sys(err, errno, "cannot make %s", dir);
	else if ((c->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		r = err_sys(err, errno, "cannot open %s", dir);
	else
		r = 0;
	if (r < 0) {
		contents_free(c);
		return r;
	}
	*out = c;
	return 0;
}

void contents_keep(struct contents *c)
{
	c->keep = true;
}

void contents_free(struct contents *c)
{
	if (!c)
		return;
	assert(!c->first);
	if (c->dir >= 0)
		close(c->dir);
	free(c->path);
	free(c);
}

const char *content_file(const struct content *content)
{
	return strrchr(content->path, '/') + 1;
}

static struct content *find(const struct contents *c, const char *file)
{
	for (struct content *i = c->first; i; i = i->next) {
		if (strcmp(content_file(i), file) == 0)
			return i;
	}
	return NULL;
}

static struct content *content_new(struct contents *c, const char *file, uint64_t bytes)
{
	struct content *i = calloc(1, sizeof(*i));

	if (!i || asprintf(&i->path, "%s/%s", c->path, file) < 0) {
		free(i);
		return NULL;
	}
	i->owner = c;
	i->refs = 1;
	i->bytes = bytes;
	snprintf(i->digest, sizeof(i->digest), DIGEST_PREFIX "%.64s", file);
	if (!digest_is_valid(i->digest) || strcmp(file + DIGEST_HEX_BYTES, SUFFIX) != 0)
		i->digest[0] = '\0';
	i->next = c->first;
	c->first = i;
	return i;
}

struct content *contents_open(struct contents *c, const char *file, uint64_t bytes)
{
	struct content *i = find(c, file);
	struct stat st;

	if (i)
		return i->bytes == bytes ? content_get(i) : NULL;
	if (strchr(file, '/') || fstatat(c->dir, file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(st.st_mode) || (uint64_t)st.st_size != bytes)
		return NULL;
	return content_new(c, file, bytes);
}

struct content *content_get(struct content *content)
{
	content->refs++;
	return content;
}

void content_put(struct content *content)
{
	struct content **p;

	if (!content || --content->refs > 0)
		return;
	for (p = &content->owner->first; *p != content; p = &(*p)->next)
		;
	*p = content->next;
	if (!content->owner->keep && unlink(content->path) < 0 && errno != ENOENT)
		log_warn("cannot remove an image's file", "path=%s error=%d", content->path, errno);
	free(content->path);
	free(content);
}

/* --- what nobody holds ---------------------------------------------------------------------------------------- */
static bool ends_with(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n > m && strcmp(text + n - m, suffix) == 0;
}

static void collect(
	const struct contents *c, const char *file, bool uploads, struct collected *collected)
{
	struct stat st;

	if (file[0] == '.' || find(c, file) || (ends_with(file, PART_SUFFIX) && !uploads) ||
		fstatat(c->dir, file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		unlinkat(c->dir, file, 0) < 0)
		return;
	collected->files++;
	collected->bytes += (uint64_t)st.st_size;
}

int contents_collect(struct contents *c, bool uploads, struct collected *collected)
{
	int fd = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		int code = errno;

		if (fd >= 0)
			close(fd);
		return -code;
	}
	while ((e = readdir(dir)))
		collect(c, e->d_name, uploads, collected);
	closedir(dir);
	return 0;
}

/* --- uploads -------------------------------------------------------------------------------------------------- */
int content_upload_new(struct contents *c, struct content_upload **out, struct err *err)
{
	struct content_upload *u = calloc(1, sizeof(*u));
	char id[ID_TEXT_BYTES];
	int r;

	if (!u)
		return err_sys(err, ENOMEM, "image");
	*u = (struct content_upload){.contents = c, .digest = digest_new(), .fd = -1};
	id_new(id);
	snprintf(u->file, sizeof(u->file), "%s" PART_SUFFIX, id);
	if (u->digest)
		u->fd = openat(c->dir, u->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (u->fd >= 0) {
		*out = u;
		return 0;
	}
	r = err_sys(err, u->digest ? errno : ENOMEM, "cannot make a file for the image");
	digest_free(u->digest);
	free(u);
	return r;
}

int content_upload_write(struct content_upload *u, const void *data, size_t len)
{
	const char *p = data;

	if (u->bytes + len > CONTENT_MAX_BYTES)
		return -EMSGSIZE;
	digest_add(u->digest, data, len);
	while (len > 0) {
		ssize_t n = write(u->fd, p, len);

		if (n < 0)
			return errno == EDQUOT ? -ENOSPC : -errno;
		p += n;
		len -= (size_t)n;
		u->bytes += (uint64_t)n;
	}
	if (u->bytes - u->pushed >= PUSH_BYTES) {
		sync_file_range(u->fd, (off_t)u->pushed, (off_t)(u->bytes - u->pushed),
			SYNC_FILE_RANGE_WRITE);
		u->pushed = u->bytes;
	}
	return 0;
}

void content_upload_abort(struct content_upload *u)
{
	if (!u)
		return;
	if (u->file[0])
		unlinkat(u->contents->dir, u->file, 0);
	digest_free(u->digest);
	close(u->fd);
	free(u);
}

static int check_erofs(const struct content_upload *u, struct err *err)
{
	uint32_t magic = 0;

	if (pread(u->fd, &magic, sizeof(magic), EROFS_MAGIC_AT) != sizeof(magic) ||
		le32toh(magic) != EROFS_MAGIC)
		return err_set(
			err, EINVAL, "the body is not an EROFS image (make it with mkfs.erofs)");
	return 0;
}

/* The complete file under its own name, on the disk; the upload has none any more. */
static int store(struct content_upload *u, const char *file, struct err *err)
{
	if (fsync(u->fd) < 0 || renameat(u->contents->dir, u->file, u->contents->dir, file) < 0)
		return err_sys(err, errno, "cannot store the image");
	u->file[0] = '\0';
	if (fsync(u->contents->dir) < 0) {
		int r = err_sys(err, errno, "cannot store the image");

		unlinkat(u->contents->dir, file, 0);
		return r;
	}
	return 0;
}

static int end(struct content_upload *u, const char *wanted, struct content **out, struct err *err)
{
	char digest[DIGEST_TEXT_BYTES], file[DIGEST_HEX_BYTES + sizeof(SUFFIX)];
	struct content *content;
	int r = u->bytes ? check_erofs(u, err) : 0;

	if (r < 0)
		return r;
	digest_end(u->digest, digest);
	if (!*digest)
		return err_sys(err, ENOMEM, "cannot compute the image's digest");
	if (wanted && strcmp(wanted, digest) != 0)
		return err_set(
			err, EINVAL, "the body has the digest %s, not %.80s", digest, wanted);
	snprintf(file, sizeof(file), "%s" SUFFIX, digest + strlen(DIGEST_PREFIX));
	content = u->bytes ? contents_open(u->contents, file, u->bytes) : NULL;
	if (!content && u->bytes) {
		r = store(u, file, err);
		if (r < 0)
			return r;
		content = content_new(u->contents, file, u->bytes);
		if (!content)
			return err_sys(err, ENOMEM, "image");
	}
	*out = content;
	return 0;
}

int content_upload_end(
	struct content_upload *u, const char *wanted, struct content **content, struct err *err)
{
	int r = end(u, wanted, content, err);

	content_upload_abort(u);
	return r;
}
