/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of templates. A folder is made as ID.new; the monitor writes state and memory into it, the record comes last, all is synced and
 * made read-only, and the folder gets its name by one rename(2): a folder without ".new" is whole. What can not be used here, by this
 * monitor, libOS and processor, is of no use to anybody and is removed.
 */
#include "daemon/template/impl.h"

#include "daemon/core.h"
#include "daemon/durable.h"
#include "daemon/reap.h"
#include "lib/jsonx.h"
#include "lib/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD "record.json"
#define NEW    ".new"

static char *path_of(
	const struct templates *ts, const char *id, const char *suffix, const char *file)
{
	char *path;

	return asprintf(&path, "%s/%s%s%s%s", ts->dir, id, suffix, file[0] ? "/" : "", file) < 0
		? NULL
		: path;
}

int template_paths(struct template *t)
{
	t->state_path = path_of(t->all, t->id, "", "state");
	t->memory_path = path_of(t->all, t->id, "", "memory");
	t->workset_path = path_of(t->all, t->id, "", "workset");
	t->state_new = path_of(t->all, t->id, NEW, "state");
	t->memory_new = path_of(t->all, t->id, NEW, "memory");
	return t->state_path && t->memory_path && t->workset_path && t->state_new && t->memory_new
		? 0
		: -ENOMEM;
}

/* What failed for a moment is tried once more: nobody else comes by until the next manager. */
static void remove_folder(const char *path)
{
	if (reap_tree(path) < 0 && reap_tree(path) < 0)
		log_warn("cannot remove files of a template", "path=%s", path);
}

/* Under another name first: a monitor that is about to be ended, and opens its working set, finds no folder to make a file in. */
void template_store_remove(struct template *t)
{
	char path[PATH_MAX], aside[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", t->all->dir, t->id);
	snprintf(aside, sizeof(aside), "%s/%s" NEW, t->all->dir, t->id);
	remove_folder(aside);
	if (rename(path, aside) < 0 && errno != ENOENT)
		remove_folder(path);
	else
		remove_folder(aside);
}

int template_store_begin(struct template *t, struct err *err)
{
	_cleanup_free_ char *path = path_of(t->all, t->id, NEW, "");

	if (!path)
		return err_sys(err, ENOMEM, "template");
	template_store_remove(t);
	if (mkdir(path, 0700) < 0)
		return err_sys(err, errno, "cannot make %s", path);
	return 0;
}

/* --- the record -------------------------------------------------------------------------------------------------- */
static int write_record(const struct template *t, const char *path)
{
	_cleanup_json_ json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:O, s:i, s:I}", "host",
		t->all->host, "digest", t->key.digest, "image", t->image, "command", t->key.command,
		"env", t->key.env, "memory_mib", (int)t->key.memory_mib, "created",
		(json_int_t)t->created.tv_sec);

	return durable_write_json(path, root);
}

/* --- the end ----------------------------------------------------------------------------------------------------- */
int template_store_end(struct template *t, struct err *err)
{
	_cleanup_free_ char *record = path_of(t->all, t->id, NEW, RECORD);
	_cleanup_free_ char *from = path_of(t->all, t->id, NEW, "");
	_cleanup_free_ char *to = path_of(t->all, t->id, "", "");
	int r = record && from && to ? 0 : -ENOMEM;

	t->bytes = 0;
	r = r < 0 ? r : durable_seal(t->state_new, &t->bytes);
	r = r < 0 ? r : durable_seal(t->memory_new, &t->bytes);
	r = r < 0 ? r : write_record(t, record);
	r = r < 0 ? r : durable_sync_folder(from);
	if (r == 0 && rename(from, to) < 0)
		r = -errno;
	r = r < 0 ? r : durable_sync_folder(t->all->dir);
	if (r == 0)
		return 0;
	template_store_remove(t);
	return err_sys(err, -r, "cannot store the template");
}

uint64_t template_store_bytes(const struct template *t)
{
	return durable_bytes(t->state_path) + durable_bytes(t->memory_path);
}

/* --- those that are there ---------------------------------------------------------------------------------------- */
static int take_record(const struct templates *ts, const char *id, json_t *root,
	struct template_key *key, const char **image, struct timespec *created, struct err *err)
{
	const char *host = NULL, *digest = NULL, *command = NULL;
	char wanted[TEMPLATE_ID_BYTES];
	int64_t memory = 0, at = 0;
	json_t *env = json_object_get(root, "env"), *word;
	size_t n;
	int r = jsonx_str(root, "host", DIGEST_TEXT_BYTES, &host, err);

	r = r < 0 ? r : jsonx_str(root, "digest", DIGEST_TEXT_BYTES - 1, &digest, err);
	r = r < 0 ? r : jsonx_str(root, "image", IMAGE_NAME_MAX_BYTES, image, err);
	r = r < 0 ? r : jsonx_str(root, "command", DURABLE_RECORD_MAX_BYTES, &command, err);
	r = r < 0 ? r : jsonx_int(root, "memory_mib", 1, 1 << 20, &memory, err);
	r = r < 0 ? r : jsonx_int(root, "created", 0, INT64_MAX, &at, err);
	if (r < 0)
		return r;
	if (!json_is_array(env))
		return err_set(err, EINVAL, "env is no list");
	json_array_foreach(env, n, word)
	{
		if (!json_is_string(word))
			return err_set(err, EINVAL, "env is no list of words");
	}
	if (strcmp(host, ts->host) != 0)
		return err_set(err, ESTALE, "it is of another monitor, libOS or processor");
	*key = (struct template_key){.command = strdup(command),
		.env = json_incref(env),
		.memory_mib = (unsigned)memory};
	snprintf(key->digest, sizeof(key->digest), "%s", digest);
	*created = (struct timespec){.tv_sec = at};
	if (key->command)
		template_key_id(key, wanted);
	if (key->command && strcmp(wanted, id) == 0)
		return 0;
	template_key_fini(key);
	return err_set(err, EINVAL, "its record is that of another one");
}

static bool use_folder(struct templates *ts, const char *id, template_store_fn *fn, void *arg)
{
	_cleanup_free_ char *path = path_of(ts, id, "", RECORD);
	_cleanup_json_ json_t *root = NULL;
	struct template_key key;
	struct timespec created;
	const char *image = NULL;
	struct err err = {0};
	int r = path ? durable_read_json(path, &root, &err) : err_sys(&err, ENOMEM, "template");

	if (r == 0)
		r = take_record(ts, id, root, &key, &image, &created, &err);
	if (r < 0) {
		log_info("a template can not be used any more", "template=%s reason=\"%s\"", id,
			err.msg);
		return false;
	}
	fn(arg, &key, image, &created);
	return true;
}

void template_store_each(struct templates *ts, template_store_fn *fn, void *arg)
{
	DIR *dir = opendir(ts->dir);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		_cleanup_free_ char *path = path_of(ts, d->d_name, "", "");

		if (d->d_name[0] == '.')
			continue;
		if (strspn(d->d_name, "0123456789abcdef") == TEMPLATE_ID_BYTES - 1 &&
			strlen(d->d_name) == TEMPLATE_ID_BYTES - 1 &&
			use_folder(ts, d->d_name, fn, arg))
			continue;
		if (path)
			reap_tree(path);
	}
	if (dir)
		closedir(dir);
}
