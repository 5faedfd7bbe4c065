/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/volume.h"

#include "lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define SOURCE_MAX_BYTES 4000u
#define DISK_PREFIX      "/dev/vd"

static const char *text_of(const json_t *volume, const char *key)
{
	return json_string_value(json_object_get(volume, key));
}

const char *volume_target(const json_t *volume)
{
	return text_of(volume, "target");
}

bool volume_is_disk(const json_t *volume)
{
	return strncmp(volume_target(volume), DISK_PREFIX, strlen(DISK_PREFIX)) == 0;
}

bool volume_is_read_only(const json_t *volume)
{
	return json_is_true(json_object_get(volume, "read_only"));
}

void volume_tag(unsigned n, char tag[VOLUME_TAG_BYTES])
{
	snprintf(tag, VOLUME_TAG_BYTES, "v%u", n);
}

/* --- the request ---------------------------------------------------------------------------------------------- */

/* Absolute, without empty, . and .. parts, and not the root. */
static bool is_plain_path(const char *path)
{
	if (*path != '/' || !path[1])
		return false;
	while (*path == '/') {
		size_t n = strcspn(++path, "/");

		if (n == 0 || (n == 1 && path[0] == '.') ||
			(n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += n;
	}
	return true;
}

static int check_target(struct check *c, const char *at, const char *target)
{
	const char *letter = target + strlen(DISK_PREFIX);

	if (!is_plain_path(target) || strchr(target, ':'))
		return check_fail(c, at, "target",
			"volumes: \"%.80s\" is no absolute path without : and ..", target);
	if (strncmp(target, DISK_PREFIX, strlen(DISK_PREFIX)) == 0 &&
		(*letter < 'a' || *letter >= 'a' + (int)VOLUMES_MAX || letter[1]))
		return check_fail(c, at, "target", "volumes: disks are /dev/vda to /dev/vd%c",
			'a' + VOLUMES_MAX - 1);
	return 0;
}

static int take_one(struct check *c, const char *at, const json_t *item, json_t *list)
{
	const char *source = NULL, *target = NULL, *key;
	bool read_only = false;
	json_t *value;

	if (!json_is_object(item))
		return check_fail(
			c, at, NULL, "volumes: an object with source and target is wanted");
	json_object_foreach((json_t *)(uintptr_t)item, key, value)
	{
		if (strcmp(key, "source") != 0 && strcmp(key, "target") != 0 &&
			strcmp(key, "read_only") != 0)
			return check_fail(c, at, key, "volumes: there is no field %.40s", key);
	}
	if (check_string(c, "volumes/source", json_object_get(item, "source"), SOURCE_MAX_BYTES,
		    &source) < 0 ||
		check_string(c, "volumes/target", json_object_get(item, "target"),
			VOLUME_TARGET_MAX_BYTES, &target) < 0 ||
		check_bool(c, "volumes/read_only", json_object_get(item, "read_only"), &read_only) <
			0)
		return -EINVAL;
	if (!source || *source != '/')
		return check_fail(c, at, "source", "volumes: source, an absolute path, is wanted");
	if (!target)
		return check_fail(c, at, "target", "volumes: target is wanted");
	if (check_target(c, at, target) < 0)
		return -EINVAL;
	return json_array_append_new(list,
		       json_pack("{s:s, s:s, s:b}", "source", source, "target", target, "read_only",
			       read_only))
		? check_fail(c, at, NULL, "volumes: no memory")
		: 0;
}

static json_t *find_target(const json_t *list, const char *target)
{
	json_t *volume;
	size_t i;

	json_array_foreach(list, i, volume)
	{
		if (strcmp(volume_target(volume), target) == 0)
			return volume;
	}
	return NULL;
}

/* Disks get their names by the order of their devices: vda first, and no gap. Folders follow. */
static int put_in_order(struct check *c, const char *field, const json_t *list, json_t **out)
{
	char target[] = DISK_PREFIX "a";
	json_t *volume, *sorted = json_array();
	size_t i, disks;

	for (; (volume = find_target(list, target)); target[strlen(DISK_PREFIX)]++)
		json_array_append(sorted, volume);
	disks = json_array_size(sorted);
	json_array_foreach(list, i, volume)
	{
		if (!volume_is_disk(volume))
			json_array_append(sorted, volume);
		else if (strcmp(volume_target(volume), target) > 0)
			disks = SIZE_MAX;
		if (find_target(list, volume_target(volume)) != volume) {
			json_decref(sorted);
			return check_fail(c, field, NULL, "volumes: %s is there twice",
				volume_target(volume));
		}
	}
	if (disks == SIZE_MAX) {
		json_decref(sorted);
		return check_fail(c, field, NULL,
			"volumes: disks are named in order, and there is no %s", target);
	}
	*out = sorted;
	return 0;
}

int volumes_take(struct check *c, const char *field, const json_t *value, json_t **volumes)
{
	json_t *list, *item;
	size_t i;
	int r = 0;

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_array(value) || json_array_size(value) > VOLUMES_MAX)
		return check_fail(
			c, field, NULL, "volumes: a list of at most %u is wanted", VOLUMES_MAX);
	if (json_array_size(value) == 0)
		return 0;
	list = json_array();
	json_array_foreach(value, i, item)
	{
		char at[32];

		snprintf(at, sizeof(at), "volumes/%zu", i);
		r = r < 0 ? r : take_one(c, at, item, list);
	}
	if (r == 0)
		r = put_in_order(c, field, list, volumes);
	json_decref(list);
	return r;
}

/* --- the files ------------------------------------------------------------------------------------------------ */
static bool is_below(const char *path, const char *root)
{
	size_t n = strlen(root);

	if (n == 1 && *root == '/')
		return true;
	return strncmp(path, root, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool is_allowed(const char *path, const char *roots)
{
	char root[PATH_MAX], real[PATH_MAX];

	for (const char *p = roots; p && *p; p += strspn(p, ":")) {
		size_t n = strcspn(p, ":");

		snprintf(root, sizeof(root), "%.*s", (int)n, p);
		if (n < sizeof(root) && realpath(root, real) && is_below(path, real))
			return true;
		p += n;
	}
	return false;
}

static int open_one(const json_t *volume, const char *roots, int *out, struct err *err)
{
	const char *source = text_of(volume, "source");
	_cleanup_close_ int fd = open(source, O_PATH | O_CLOEXEC);
	char self[32], path[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "volume %s", source);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, path, sizeof(path) - 1);
	if (n < 0)
		return err_sys(err, errno, "volume %s", source);
	path[n] = '\0';
	if (!is_allowed(path, roots))
		return err_set(err, EACCES,
			"volume %s lies in no folder that may be shared: start uigniterd with "
			"--volume-root",
			source);
	if (!volume_is_disk(volume) && !S_ISDIR(st.st_mode))
		return err_set(err, EINVAL,
			"volume %s is no folder (a disk's target is /dev/vda, ...)", source);
	if (volume_is_disk(volume) && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(err, EINVAL,
			"volume %s is neither a file nor a block device, as %s wants", source,
			volume_target(volume));
	*out = steal_fd(&fd);
	return 0;
}

int volume_files_open(
	struct volume_files *files, const json_t *volumes, const char *roots, struct err *err)
{
	json_t *volume;
	size_t i;

	files->n = 0;
	json_array_foreach(volumes, i, volume)
	{
		int fd = -1, r = open_one(volume, roots, &fd, err);

		if (r < 0) {
			volume_files_close(files);
			return r;
		}
		snprintf(files->path[files->n], sizeof(files->path[0]), "/proc/%d/fd/%d",
			(int)getpid(), fd);
		files->fd[files->n++] = fd;
	}
	return 0;
}

void volume_files_close(struct volume_files *files)
{
	for (unsigned i = 0; i < files->n; i++)
		close(files->fd[i]);
	files->n = 0;
}
