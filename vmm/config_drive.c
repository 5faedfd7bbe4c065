/* SPDX-License-Identifier: Apache-2.0 */
/* Block devices of the configuration: bodies of PUT /drives/{id}, Firecracker's fields and sentences. */
#include "vmm/config_impl.h"

#include "lib/err.h"
#include "lib/jsonx.h"
#include "vmm/dev/drive.h"

#include <errno.h>
#include <string.h>

static void drive_fini(struct config_drive *drive)
{
	free(drive->path);
	if (drive->fd >= 0)
		close(drive->fd);
}

void config_drives_fini(struct config *config)
{
	for (unsigned i = 0; i < config->ndrives; i++)
		drive_fini(&config->drive[i]);
	config->ndrives = 0;
}

static struct config_drive *find(struct config *config, const char *id)
{
	for (unsigned i = 0; i < config->ndrives; i++) {
		if (strcmp(config->drive[i].id, id) == 0)
			return &config->drive[i];
	}
	return NULL;
}

static int one_of(
	const char *name, const char *value, const char *a, const char *b, struct err *err)
{
	if (strcmp(value, a) == 0 || strcmp(value, b) == 0)
		return 0;
	return err_set(err, EINVAL, "%s: unknown variant `%.32s`, expected `%s` or `%s`", name,
		value, a, b);
}

static int parse(const char *path_id, const json_t *body, struct config_drive *drive,
	const char **path, struct err *err)
{
	static const char *const names[] = {"drive_id", "is_root_device", "path_on_host",
		"is_read_only", "cache_type", "io_engine", "partuuid", NULL};
	const char *id = NULL, *cache = "Unsafe", *engine = "Sync", *partuuid = NULL;
	int r = config_check_fields(body, names, err);

	for (unsigned i = 0; i < 3 && r == 0; i++)
		r = config_required(body, names[i], err);
	if (r < 0 || (r = jsonx_str(body, "drive_id", CONFIG_ID_MAX, &id, err)) < 0 ||
		(r = config_check_id(path_id, id, err)) < 0 ||
		(r = jsonx_bool(body, "is_root_device", &drive->root, err)) < 0 ||
		(r = jsonx_str(body, "path_on_host", CONFIG_PATH_MAX_BYTES, path, err)) < 0 ||
		(r = jsonx_opt_bool(body, "is_read_only", &drive->read_only, err)) < 0 ||
		(r = jsonx_opt_str(body, "cache_type", 32, &cache, err)) < 0 ||
		(r = jsonx_opt_str(body, "io_engine", 32, &engine, err)) < 0 ||
		(r = jsonx_opt_str(body, "partuuid", 64, &partuuid, err)) < 0 ||
		(r = one_of("cache_type", cache, "Unsafe", "Writeback", err)) < 0 ||
		(r = one_of("io_engine", engine, "Sync", "Async", err)) < 0)
		return r;
	if (partuuid)
		return err_set(err, EINVAL, "partuuid is not supported");
	drive->flush = strcmp(cache, "Writeback") == 0;
	snprintf(drive->id, sizeof(drive->id), "%s", id); /* its length was checked */
	return 0;
}

/* Room for one more, in its place: the root drive goes to the front. */
static struct config_drive *insert(struct config *config, bool root)
{
	struct config_drive *at = &config->drive[root ? 0 : config->ndrives];

	if (root)
		memmove(at + 1, at, config->ndrives * sizeof(*at));
	config->ndrives++;
	return at;
}

static void forget(struct config *config, struct config_drive *drive)
{
	struct config_drive *end = &config->drive[config->ndrives];

	drive_fini(drive);
	memmove(drive, drive + 1, (size_t)((char *)end - (char *)(drive + 1)));
	config->ndrives--;
}

int config_drive(struct config *config, const char *path_id, const json_t *body, struct err *err)
{
	struct config_drive drive = {.fd = -1}, *old;
	const char *path = NULL;
	int r = parse(path_id, body, &drive, &path, err);

	if (r < 0)
		return r;
	old = find(config, drive.id);
	if (!old && config->ndrives == CONFIG_DRIVES_MAX)
		return err_set(err, EINVAL, "more than %u drives", CONFIG_DRIVES_MAX);
	if (drive.root && config->ndrives > 0 && config->drive[0].root && old != &config->drive[0])
		return err_set(err, EINVAL, "A root block device already exists!");
	r = drive.fd = drive_open(path, drive.read_only, err);
	if (r < 0)
		return r;
	drive.path = strdup(path);
	if (!drive.path) {
		drive_fini(&drive);
		return err_set(err, ENOMEM, "out of memory");
	}
	if (old)
		forget(config, old);
	*insert(config, drive.root) = drive;
	return 0;
}

int config_drives(struct config *config, const json_t *list, struct err *err)
{
	size_t i;
	json_t *body;

	if (list && !json_is_array(list))
		return err_set(err, EINVAL, "drives: expected an array");
	json_array_foreach(list, i, body)
	{
		int r = config_drive(config, NULL, body, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Firecracker's rate limiter is the only field there; without it the body is empty. */
int config_entropy(struct config *config, const json_t *body, struct err *err)
{
	if (!json_is_object(body) || json_object_size(body) > 0)
		return err_set(err, EINVAL, "entropy: rate limiters are not supported");
	config->rng = true;
	return 0;
}

json_t *config_drives_json(const struct config *config)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < config->ndrives; i++) {
		const struct config_drive *d = &config->drive[i];

		json_array_append_new(list,
			json_pack("{s:s, s:b, s:s, s:b, s:s, s:s}", "drive_id", d->id,
				"is_root_device", d->root, "path_on_host", d->path, "is_read_only",
				d->read_only, "cache_type", d->flush ? "Writeback" : "Unsafe",
				"io_engine", "Sync"));
	}
	return list;
}
