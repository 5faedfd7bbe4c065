/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of the configuration: folders of the host. */
#include "vmm/config_impl.h"

#include "lib/err.h"
#include "lib/jsonx.h"
#include "vmm/dev/folder.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static void volume_fini(struct config_volume *v)
{
	free(v->path);
	close(v->fd);
}

void config_volumes_fini(struct config *config)
{
	while (config->nvolumes > 0)
		volume_fini(&config->volume[--config->nvolumes]);
}

static int check_tag(const char *tag, struct err *err)
{
	size_t n = strlen(tag);

	if (n == 0 || n > CONFIG_TAG_MAX)
		return err_set(err, EINVAL, "volume `%.32s`: a tag has 1 to %u characters", tag,
			CONFIG_TAG_MAX);
	for (const char *p = tag; *p; p++) {
		if (!isalnum((unsigned char)*p))
			return err_set(err, EINVAL, "volume `%s`: letters and digits only", tag);
	}
	return 0;
}

/* Room for a volume: that of the same tag, which is replaced, or a new one. NULL: there are too many. */
static struct config_volume *room_for(struct config *config, const char *tag)
{
	for (unsigned i = 0; i < config->nvolumes; i++) {
		if (strcmp(config->volume[i].tag, tag) == 0) {
			volume_fini(&config->volume[i]);
			return &config->volume[i];
		}
	}
	return config->nvolumes < CONFIG_VOLUMES_MAX ? &config->volume[config->nvolumes++] : NULL;
}

static int add(
	struct config *config, const char *tag, const char *path, bool read_only, struct err *err)
{
	struct config_volume *v;
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *copy = strdup(path);
	int r = check_tag(tag, err);

	if (r < 0)
		return r;
	fd = folder_open(path, err);
	if (fd < 0)
		return fd;
	if (!copy)
		return err_set(err, ENOMEM, "out of memory");
	v = room_for(config, tag);
	if (!v)
		return err_set(err, EINVAL, "more than %u volumes", CONFIG_VOLUMES_MAX);
	*v = (struct config_volume){
		.path = steal_ptr(&copy), .fd = steal_fd(&fd), .read_only = read_only};
	snprintf(v->tag, sizeof(v->tag), "%s", tag); /* its length was checked */
	return 0;
}

static int add_json(struct config *config, const json_t *body, struct err *err)
{
	static const char *const names[] = {"tag", "path_on_host", "is_read_only", NULL};
	const char *tag = NULL, *path = NULL;
	bool read_only = false;
	int r = config_check_fields(body, names, err);

	if (r == 0)
		r = config_required(body, "tag", err);
	if (r == 0)
		r = config_required(body, "path_on_host", err);
	if (r < 0 || (r = jsonx_str(body, "tag", CONFIG_PATH_MAX_BYTES, &tag, err)) < 0 ||
		(r = jsonx_str(body, "path_on_host", CONFIG_PATH_MAX_BYTES, &path, err)) < 0 ||
		(r = jsonx_opt_bool(body, "is_read_only", &read_only, err)) < 0)
		return r;
	return add(config, tag, path, read_only, err);
}

int config_volumes(struct config *config, const json_t *list, struct err *err)
{
	size_t i;
	json_t *body;

	if (list && !json_is_array(list))
		return err_set(err, EINVAL, "volumes: expected an array");
	json_array_foreach(list, i, body)
	{
		int r = add_json(config, body, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int config_volume_option(struct config *config, const char *text, struct err *err)
{
	_cleanup_free_ char *copy = strdup(text);
	char *path = copy ? strchr(copy, '=') : NULL;
	size_t n;
	bool ro;

	if (!path)
		return err_set(err, EINVAL, "--volume %s: TAG=FOLDER[:ro] is wanted", text);
	*path++ = '\0';
	n = strlen(path);
	ro = n > 3 && strcmp(path + n - 3, ":ro") == 0;
	if (ro)
		path[n - 3] = '\0';
	return add(config, copy, path, ro, err);
}

json_t *config_volumes_json(const struct config *config)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < config->nvolumes; i++) {
		const struct config_volume *v = &config->volume[i];

		json_array_append_new(list,
			json_pack("{s:s, s:s, s:b}", "tag", v->tag, "path_on_host", v->path,
				"is_read_only", v->read_only));
	}
	return list;
}
