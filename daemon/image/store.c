/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order of a commit: data file written, synced, named; record written, synced, renamed over the old one; folder
 * synced. A crash before the rename of the record leaves a data file that no record names, which the next start removes.
 * The writing of a large upload is pushed on as it comes (sync_file_range), so that the sync at its end is short.
 */
#include "daemon/image/store.h"

#include "daemon/id.h"
#include "daemon/image/name.h"
#include "lib/jsonx.h"
#include "lib/log.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define RECORD_MAX_BYTES (256 * KIB)
#define PUSH_BYTES       (4 * MIB)
#define EROFS_MAGIC      0xe0f5e1e2u /* little endian, at byte 1024 (Linux, fs/erofs/erofs_fs.h) */
#define EROFS_MAGIC_AT   1024
#define RECORD_SUFFIX    ".json"

struct images {
	int dir, data;   /* folders */
	char *data_path; /* of data, absolute */
	struct image *first;
	bool unreadable; /* a record can not be used: which file it names is not known */
};

struct image_upload {
	struct images *images;
	int fd;
	char file[ID_TEXT_BYTES + 8]; /* in data */
	uint64_t bytes, pushed;
	bool named; /* a record names the file: it stays */
};

struct image *images_find(const struct images *images, const char *name)
{
	for (struct image *i = images->first; i; i = i->next) {
		if (strcmp(i->name, name) == 0)
			return i;
	}
	return NULL;
}

struct image *images_first(const struct images *images)
{
	return images->first;
}

struct image *image_get(struct image *image)
{
	image->refs++;
	return image;
}

void image_put(struct image *image)
{
	if (!image || --image->refs > 0)
		return;
	if (image->stale && image->path && unlink(image->path) < 0)
		log_warn("cannot remove an image's file", "path=%s error=%d", image->path, errno);
	json_decref(image->config);
	free(image->name);
	free(image->path);
	free(image);
}

static void store_add(struct images *images, struct image *image)
{
	struct image **p = &images->first;

	while (*p && strcmp((*p)->name, image->name) < 0)
		p = &(*p)->next;
	image->next = *p;
	*p = image;
}

static void store_del(struct images *images, struct image *image)
{
	struct image **p = &images->first;

	while (*p != image)
		p = &(*p)->next;
	*p = image->next;
	image->next = NULL;
	image->stale = true;
	image_put(image);
}

/* file NULL: none. Takes config. */
static struct image *image_new(const struct images *images, const char *name, const char *file,
	uint64_t bytes, time_t created, json_t *config)
{
	struct image *image = calloc(1, sizeof(*image));

	if (!image)
		goto out_config;
	*image = (struct image){.refs = 1,
		.name = strdup(name),
		.bytes = bytes,
		.created = created,
		.config = config};
	if (!image->name || (file && asprintf(&image->path, "%s/%s", images->data_path, file) < 0))
		goto out_image;
	return image;
out_image:
	free(image->name);
	free(image);
out_config:
	json_decref(config);
	return NULL;
}

struct image *image_of_record(
	const struct images *images, const char *name, const char *path, json_t *config)
{
	struct image *image = images_find(images, name);
	struct check check = {0};

	if (image && path && image->path && strcmp(image->path, path) == 0)
		return image_get(image);
	if (image_config_check(config, &check) < 0)
		return NULL;
	return image_new(images, name, NULL, 0, 0, json_incref(config));
}

/* --- records ------------------------------------------------------------------------------------------------- */
static void record_name(const char *name, char *out, size_t size)
{
	char encoded[IMAGE_NAME_MAX_BYTES + 1];

	image_name_encode(name, encoded);
	snprintf(out, size, "%.250s" RECORD_SUFFIX, encoded);
}

static const char *base_name(const char *path)
{
	return path ? strrchr(path, '/') + 1 : NULL;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_synced(int dir, const char *file, const char *text)
{
	_cleanup_close_ int fd = openat(dir, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, text, strlen(text));
	return r < 0 ? r : fsync(fd) < 0 ? -errno : 0;
}

static int record_write(const struct images *images, const struct image *image, struct err *err)
{
	char file[NAME_MAX + 1], temp[NAME_MAX + 1];
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *root = json_pack("{s:s, s:s?, s:I, s:I, s:O}", "name", image->name,
		"file", base_name(image->path), "bytes", (json_int_t)image->bytes, "created",
		(json_int_t)image->created, "config", image->config);
	int r;

	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	if (!text)
		return err_sys(err, ENOMEM, "image %s", image->name);
	record_name(image->name, file, sizeof(file));
	snprintf(temp, sizeof(temp), ".%.250s", file);
	r = write_synced(images->dir, temp, text);
	if (r == 0 && renameat(images->dir, temp, images->dir, file) < 0)
		r = -errno;
	if (r == 0 && fsync(images->dir) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(images->dir, temp, 0);
	return r < 0 ? err_sys(err, -r, "cannot store the record of image %s", image->name) : 0;
}

static int record_parse(
	struct images *images, const char *name, const char *text, size_t len, struct err *err)
{
	_cleanup_json_ json_t *root = NULL;
	const char *file = NULL;
	int64_t bytes = 0, created = 0;
	struct check check = {0};
	struct image *image;
	json_t *config;
	int r = jsonx_parse_object(text, len, 8, &root, err);

	r = r < 0 ? r : jsonx_opt_str(root, "file", NAME_MAX, &file, err);
	r = r < 0 ? r : jsonx_int(root, "bytes", 0, INT64_MAX, &bytes, err);
	r = r < 0 ? r : jsonx_int(root, "created", 0, INT64_MAX, &created, err);
	if (r < 0)
		return r;
	config = json_object_get(root, "config");
	if (image_config_check(config, &check) < 0)
		return err_set(err, EINVAL, "config: %s", check.err.msg);
	if (file && (strchr(file, '/') || faccessat(images->data, file, R_OK, 0) < 0))
		return err_set(err, ENOENT, "its data file is not there");
	image = image_new(
		images, name, file, (uint64_t)bytes, (time_t)created, json_incref(config));
	if (!image)
		return err_sys(err, ENOMEM, "image");
	store_add(images, image);
	return 0;
}

static int record_read(struct images *images, const char *file, const char *name, struct err *err)
{
	_cleanup_close_ int fd = openat(images->dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_free_ char *text = malloc(RECORD_MAX_BYTES);
	ssize_t n;

	if (fd < 0)
		return err_sys(err, errno, "cannot open it");
	if (!text)
		return err_sys(err, ENOMEM, "image");
	n = read(fd, text, RECORD_MAX_BYTES);
	if (n < 0)
		return err_sys(err, errno, "cannot read it");
	return record_parse(images, name, text, (size_t)n, err);
}

/* --- the store ------------------------------------------------------------------------------------------------ */
static void load_entry(struct images *images, const char *file)
{
	size_t len = strlen(file), suffix = strlen(RECORD_SUFFIX);
	char name[IMAGE_NAME_MAX_BYTES + 1];
	struct err err = {0};

	if (file[0] == '.') {
		unlinkat(images->dir, file, 0); /* a record half written; fails for "." and ".." */
		return;
	}
	if (len <= suffix || strcmp(file + len - suffix, RECORD_SUFFIX) != 0)
		return;
	if (!image_name_decode(file, len - suffix, name))
		return;
	if (record_read(images, file, name, &err) == 0)
		return;
	images->unreadable = true;
	log_error("an image's record can not be used", "image=%s error=\"%s\"", name, err.msg);
}

static bool is_named(const struct images *images, const char *file)
{
	for (const struct image *i = images->first; i; i = i->next) {
		if (i->path && strcmp(base_name(i->path), file) == 0)
			return true;
	}
	return false;
}

static void drop_unnamed(struct images *images, const char *file)
{
	if (file[0] != '.' && !is_named(images, file))
		unlinkat(images->data, file, 0);
}

static int for_each_entry(
	struct images *images, int dir_fd, void (*fn)(struct images *images, const char *file))
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -errno;
	}
	while ((e = readdir(dir)))
		fn(images, e->d_name);
	closedir(dir);
	return 0;
}

static int open_folder(const char *path, struct err *err)
{
	int fd;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, errno, "cannot open %s", path) : fd;
}

static int open_folders(struct images *images, const char *state_dir, struct err *err)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/image", state_dir);
	images->dir = open_folder(path, err);
	if (images->dir < 0)
		return images->dir;
	if (asprintf(&images->data_path, "%s/data", path) < 0) {
		images->data_path = NULL;
		return err_sys(err, ENOMEM, "images");
	}
	images->data = open_folder(images->data_path, err);
	return images->data < 0 ? images->data : 0;
}

int images_new(const char *state_dir, struct images **out, struct err *err)
{
	struct images *images = calloc(1, sizeof(*images));
	int r;

	if (!images)
		return err_sys(err, ENOMEM, "images");
	images->dir = images->data = -1;
	r = open_folders(images, state_dir, err);
	if (r == 0)
		r = for_each_entry(images, images->dir, load_entry);
	if (r == 0 && !images->unreadable)
		r = for_each_entry(images, images->data, drop_unnamed);
	if (r < 0) {
		images_free(images);
		return r;
	}
	*out = images;
	return 0;
}

void images_free(struct images *images)
{
	if (!images)
		return;
	while (images->first) {
		struct image *image = images->first;

		images->first = image->next;
		image_put(image);
	}
	if (images->dir >= 0)
		close(images->dir);
	if (images->data >= 0)
		close(images->data);
	free(images->data_path);
	free(images);
}

/* --- uploads -------------------------------------------------------------------------------------------------- */
int image_upload_new(struct images *images, struct image_upload **out, struct err *err)
{
	struct image_upload *u = calloc(1, sizeof(*u));
	char id[ID_TEXT_BYTES];

	if (!u)
		return err_sys(err, ENOMEM, "image");
	u->images = images;
	id_new(id);
	snprintf(u->file, sizeof(u->file), "%s.erofs", id);
	u->fd = openat(images->data, u->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (u->fd < 0) {
		int code = errno;

		free(u);
		return err_sys(err, code, "cannot make a file for the image");
	}
	*out = u;
	return 0;
}

int image_upload_write(struct image_upload *u, const void *data, size_t len)
{
	int r;

	if (u->bytes + len > IMAGE_MAX_BYTES)
		return -EMSGSIZE;
	r = write_all(u->fd, data, len);
	if (r < 0)
		return r == -EDQUOT ? -ENOSPC : r;
	u->bytes += len;
	if (u->bytes - u->pushed >= PUSH_BYTES) {
		sync_file_range(u->fd, (off_t)u->pushed, (off_t)(u->bytes - u->pushed),
			SYNC_FILE_RANGE_WRITE);
		u->pushed = u->bytes;
	}
	return 0;
}

void image_upload_abort(struct image_upload *u)
{
	if (!u)
		return;
	if (!u->named)
		unlinkat(u->images->data, u->file, 0);
	close(u->fd);
	free(u);
}

static int check_erofs(const struct image_upload *u, struct err *err)
{
	uint32_t magic = 0;

	if (u->bytes == 0)
		return 0;
	if (pread(u->fd, &magic, sizeof(magic), EROFS_MAGIC_AT) != sizeof(magic) ||
		le32toh(magic) != EROFS_MAGIC)
		return err_set(
			err, EINVAL, "the body is not an EROFS image (make it with mkfs.erofs)");
	return 0;
}

static int commit(struct image_upload *u, const char *name, json_t *config, struct image **out,
	bool *replaced, struct err *err)
{
	struct images *images = u->images;
	struct image *image, *old;
	int r;

	image = image_new(images, name, u->bytes ? u->file : NULL, u->bytes, time(NULL), config);
	if (!image)
		return err_sys(err, ENOMEM, "image %s", name);
	r = u->bytes && (fsync(u->fd) < 0 || fsync(images->data) < 0)
		? err_sys(err, errno, "cannot sync the image")
		: 0;
	if (r == 0)
		r = record_write(images, image, err);
	if (r < 0) {
		image_put(image); /* not stale: the file is the upload's */
		return r;
	}
	u->named = u->bytes > 0;
	old = images_find(images, name);
	*replaced = old != NULL;
	if (old)
		store_del(images, old);
	store_add(images, image);
	*out = image;
	return 0;
}

int image_upload_commit(struct image_upload *u, const char *name, json_t *config,
	struct image **image, bool *replaced, struct err *err)
{
	int r = check_erofs(u, err);

	if (r == 0)
		r = commit(u, name, config, image, replaced, err);
	else
		json_decref(config);
	image_upload_abort(u);
	return r;
}

int image_set_config(struct images *images, struct image *image, json_t *config, struct err *err)
{
	json_t *old = image->config;
	int r;

	image->config = config;
	r = record_write(images, image, err);
	if (r < 0) {
		image->config = old;
		json_decref(config);
		return r;
	}
	json_decref(old);
	return 0;
}

int image_delete(struct images *images, struct image *image, struct err *err)
{
	char file[NAME_MAX + 1];

	record_name(image->name, file, sizeof(file));
	if ((unlinkat(images->dir, file, 0) < 0 && errno != ENOENT) || fsync(images->dir) < 0)
		return err_sys(err, errno, "cannot remove the record of image %s", image->name);
	store_del(images, image);
	return 0;
}
