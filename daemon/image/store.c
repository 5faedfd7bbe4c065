/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order of a commit: content written, synced, named (content.c); record written, synced, renamed over the old one; folder
 * synced. A crash before the rename of the record leaves a content that no record names.
 */
#include "daemon/image/store.h"

#include "daemon/image/name.h"
#include "lib/jsonx.h"
#include "lib/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define RECORD_MAX_BYTES (256 * KIB)
#define RECORD_SUFFIX    ".json"

struct images {
	int dir;
	struct contents *contents;
	struct image *first;
	bool unreadable; /* a record can not be used: which content it names is not known */
};

struct contents *images_contents(struct images *images)
{
	return images->contents;
}

struct image *images_first(const struct images *images)
{
	return images->first;
}

struct image *images_find(const struct images *images, const char *name)
{
	size_t len = image_name_length(name);

	for (struct image *i = images->first; i; i = i->next) {
		if (strlen(i->name) == len && memcmp(i->name, name, len) == 0)
			return i;
	}
	return NULL;
}

int images_resolve(
	const struct images *images, const char *reference, bool single, struct image **image)
{
	struct image *found = images_find(images, reference);

	for (struct image *i = images->first; i && image_is_digest(reference); i = i->next) {
		if (strncmp(image_digest(i), reference, strlen(reference)) != 0)
			continue;
		if (found &&
			(single || i->content != found->content ||
				!json_equal(i->config, found->config)))
			return -EEXIST;
		found = found ? found : i;
	}
	if (!found)
		return -ENOENT;
	*image = found;
	return 0;
}

/* --- one image ------------------------------------------------------------------------------------------------ */
struct image *image_get(struct image *image)
{
	image->refs++;
	return image;
}

void image_put(struct image *image)
{
	if (!image || --image->refs > 0)
		return;
	content_put(image->content);
	json_decref(image->config);
	free(image->name);
	free(image);
}

const char *image_path(const struct image *image)
{
	return image->content ? image->content->path : NULL;
}

uint64_t image_bytes(const struct image *image)
{
	return image->content ? image->content->bytes : 0;
}

const char *image_digest(const struct image *image)
{
	return image->content ? image->content->digest : "";
}

unsigned image_users(const struct image *image)
{
	return image->refs - 1;
}

/* Takes content and config, also on failure. */
static struct image *image_new(
	const char *name, struct content *content, time_t created, json_t *config)
{
	struct image *image = calloc(1, sizeof(*image));
	char *copy = strndup(name, image_name_length(name));

	if (!image || !copy) {
		free(image);
		free(copy);
		content_put(content);
		json_decref(config);
		return NULL;
	}
	*image = (struct image){
		.refs = 1, .name = copy, .content = content, .created = created, .config = config};
	return image;
}

struct image *image_of_record(
	struct images *images, const char *name, const char *path, json_t *config)
{
	struct image *image = images_find(images, name);
	const char *slash = path ? strrchr(path, '/') : NULL;
	struct content *content;
	struct check check = {0};
	struct stat st;

	if (image_config_check(config, &check) < 0)
		return NULL;
	content = slash && stat(path, &st) == 0
		? contents_open(images->contents, slash + 1, (uint64_t)st.st_size)
		: NULL;
	if (image && image->content == content && json_equal(image->config, config)) {
		content_put(content);
		return image_get(image);
	}
	return image_new(name, content, 0, json_incref(config));
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
	image_put(image);
}

/* --- records are written ---------------------------------------------------------------------------------------- */
static void record_name(const char *name, char *out, size_t size)
{
	char encoded[IMAGE_NAME_MAX_BYTES + 1];

	image_name_encode(name, encoded);
	snprintf(out, size, "%.250s" RECORD_SUFFIX, encoded);
}

static int write_synced(int dir, const char *file, const char *text)
{
	_cleanup_close_ int fd = openat(dir, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t len = strlen(text);

	if (fd < 0)
		return -errno;
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int record_write(const struct images *images, const struct image *image, struct err *err)
{
	char file[NAME_MAX + 1], temp[NAME_MAX + 1];
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *root = json_pack("{s:s, s:s?, s:I, s:I, s:O}", "name", image->name,
		"file", image->content ? content_file(image->content) : NULL, "bytes",
		(json_int_t)image_bytes(image), "created", (json_int_t)image->created, "config",
		image->config);
	bool replaced;
	int r;

	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	if (!text)
		return err_sys(err, ENOMEM, "image %s", image->name);
	record_name(image->name, file, sizeof(file));
	replaced = faccessat(images->dir, file, F_OK, 0) == 0;
	snprintf(temp, sizeof(temp), ".%.250s", file);
	r = write_synced(images->dir, temp, text);
	if (r == 0 && renameat(images->dir, temp, images->dir, file) < 0)
		r = -errno;
	if (r == 0 && fsync(images->dir) < 0) {
		r = -errno;
		if (!replaced)
			unlinkat(images->dir, file, 0);
	}
	if (r < 0)
		unlinkat(images->dir, temp, 0);
	return r < 0 ? err_sys(err, -r, "cannot store the record of image %s", image->name) : 0;
}

/* --- records are read ------------------------------------------------------------------------------------------- */
static int record_parse(
	struct images *images, const char *name, const char *text, size_t len, struct err *err)
{
	_cleanup_json_ json_t *root = NULL;
	const char *file = NULL;
	int64_t bytes = 0, created = 0;
	struct check check = {0};
	struct content *content = NULL;
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
	if (file)
		content = contents_open(images->contents, file, (uint64_t)bytes);
	if (file && !content)
		return err_set(err, ENOENT, "its data file is not there, or not complete");
	image = image_new(name, content, (time_t)created, json_incref(config));
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

/* --- the store ------------------------------------------------------------------------------------------------ */
static int load(struct images *images, struct err *err)
{
	int fd = openat(images->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return err_sys(err, errno, "cannot read the folder of images");
	}
	while ((e = readdir(dir)))
		load_entry(images, e->d_name);
	closedir(dir);
	return 0;
}

static int open_folders(struct images *images, const char *state_dir, struct err *err)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s/image/data", state_dir) >= sizeof(path))
		return err_set(err, ENAMETOOLONG, "the path %s is too long", state_dir);
	*strrchr(path, '/') = '\0';
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make %s", path);
	images->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (images->dir < 0)
		return err_sys(err, errno, "cannot open %s", path);
	path[strlen(path)] = '/';
	return contents_new(path, &images->contents, err);
}

int images_new(const char *state_dir, struct images **out, struct err *err)
{
	struct images *images = calloc(1, sizeof(*images));
	int r;

	if (!images)
		return err_sys(err, ENOMEM, "images");
	images->dir = -1;
	r = open_folders(images, state_dir, err);
	r = r < 0 ? r : load(images, err);
	if (r < 0) {
		images_free(images);
		return r;
	}
	*out = images;
	return 0;
}

void images_keep(struct images *images)
{
	contents_keep(images->contents);
}

void images_free(struct images *images)
{
	if (!images)
		return;
	if (images->contents)
		images_keep(images);
	while (images->first) {
		struct image *image = images->first;

		images->first = image->next;
		image_put(image);
	}
	contents_free(images->contents);
	if (images->dir >= 0)
		close(images->dir);
	free(images);
}

int images_collect(struct images *images, bool starting, struct collected *collected)
{
	return images->unreadable ? 0 : contents_collect(images->contents, starting, collected);
}

/* --- changes ---------------------------------------------------------------------------------------------------- */
int images_add(struct images *images, const char *name, struct content *content, json_t *config,
	struct image **out, bool *replaced, struct err *err)
{
	struct image *image = image_new(name, content, time(NULL), config), *old;
	int r;

	if (!image)
		return err_sys(err, ENOMEM, "image %s", name);
	r = record_write(images, image, err);
	if (r < 0) {
		image_put(image);
		return r;
	}
	old = images_find(images, name);
	*replaced = old != NULL;
	if (old)
		store_del(images, old);
	store_add(images, image);
	*out = image;
	return 0;
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
