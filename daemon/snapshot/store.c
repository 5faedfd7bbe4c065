/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of snapshots. A folder is made as .new-NAME with the empty files that the monitor fills, and one, "of", that says of which instance; the record comes
 * when both are on the disk, and the folder's name last. No name of a snapshot begins with a dot.
 */
#include "daemon/snapshot/impl.h"

#include "daemon/core.h"
#include "daemon/durable.h"
#include "daemon/image/store.h"
#include "daemon/instance/instance.h"
#include "daemon/reap.h"
#include "daemon/state/record.h"
#include "daemon/state/words.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD "record.json"
#define OF     "of"
#define LOG    "log"

char *store_path(const struct snapshots *ss, const char *prefix, const char *name, const char *file)
{
	char *path;

	return asprintf(&path, "%s/%s%s%s%s", ss->dir, prefix, name, file[0] ? "/" : "", file) < 0
		? NULL
		: path;
}

/* What failed for a moment is tried once more: nobody else comes by until the next manager. */
static void remove_folder(const char *path)
{
	if (reap_tree(path) < 0 && reap_tree(path) < 0)
		log_warn("cannot remove files of a snapshot", "path=%s", path);
}

/* Under another name first: it is gone at once, and a monitor that is about to write its working set finds no folder to make a file in. */
void store_remove(const struct snapshot *s, bool half)
{
	_cleanup_free_ char *aside = store_path(s->all, STORE_NEW, s->name, "");
	_cleanup_free_ char *path = store_path(s->all, "", s->name, "");

	if (!aside || !path)
		return;
	remove_folder(aside);
	if (half)
		return;
	if (rename(path, aside) < 0 && errno != ENOENT)
		remove_folder(path);
	else
		remove_folder(aside);
}

/* --- making ------------------------------------------------------------------------------------------------------ */
static int make_file(const struct snapshot *s, const char *file, const char *text)
{
	_cleanup_free_ char *path = store_path(s->all, STORE_NEW, s->name, file);
	_cleanup_close_ int fd = -1;
	ssize_t n;

	if (!path)
		return -ENOMEM;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	if (n != (ssize_t)strlen(text))
		return n < 0 ? -errno : -ENOSPC;
	return steal_fd(&fd);
}

int store_begin(const struct snapshot *s, int fd[2], struct err *err)
{
	_cleanup_free_ char *path = store_path(s->all, STORE_NEW, s->name, "");
	_cleanup_close_ int state = -1, memory = -1;
	int r = path ? 0 : -ENOMEM;

	if (r == 0 && mkdir(path, 0700) < 0)
		r = -errno;
	if (r < 0)
		return err_sys(err, -r, "cannot make the snapshot's folder");
	r = make_file(s, OF, s->vm_id);
	if (r >= 0)
		close(r);
	state = r = r < 0 ? r : make_file(s, "state", "");
	memory = r = r < 0 ? r : make_file(s, "memory", "");
	if (r < 0) {
		store_remove(s, true);
		return err_sys(err, -r, "cannot make the snapshot's files");
	}
	fd[0] = steal_fd(&state);
	fd[1] = steal_fd(&memory);
	return 0;
}

static json_t *record_of_snapshot(const struct snapshot *s)
{
	return json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:o, s:o, s:o, s:o, s:i, s:I, s:I, s:I}",
		"name", s->name, "id", s->id, "digest", s->digest, "vm", "id", s->vm_id, "name",
		s->vm_name, "host", host_id_json(&s->host), "image", record_image(s->image), "argv",
		record_words(s->argv), "env", record_words(s->env), "memory_mib",
		(int)s->memory_mib, "created",
		(json_int_t)s->created.tv_sec * NS_PER_S + s->created.tv_nsec, "bytes",
		(json_int_t)s->bytes, "paused_us", (json_int_t)s->paused_us);
}

static int digest_of(const char *path, char text[DIGEST_TEXT_BYTES])
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : digest_fd(fd, text);
}

static void drop(const struct snapshot *s, const char *file)
{
	_cleanup_free_ char *path = store_path(s->all, STORE_NEW, s->name, file);

	if (path)
		unlink(path);
}

int store_end(struct snapshot *s, struct err *err)
{
	_cleanup_free_ char *record = store_path(s->all, STORE_NEW, s->name, RECORD);
	_cleanup_free_ char *state = store_path(s->all, STORE_NEW, s->name, "state");
	_cleanup_free_ char *memory = store_path(s->all, STORE_NEW, s->name, "memory");
	_cleanup_free_ char *from = store_path(s->all, STORE_NEW, s->name, "");
	_cleanup_free_ char *to = store_path(s->all, "", s->name, "");
	_cleanup_json_ json_t *root = NULL;
	int r = record && state && memory && from && to ? 0 : -ENOMEM;

	s->bytes = 0;
	clock_gettime(CLOCK_REALTIME, &s->created);
	r = r < 0 ? r : digest_of(state, s->digest);
	r = r < 0 ? r : durable_seal(state, &s->bytes);
	r = r < 0 ? r : durable_seal(memory, &s->bytes);
	root = r < 0 ? NULL : record_of_snapshot(s);
	r = r < 0 ? r : durable_write_json(record, root);
	drop(s, OF);
	drop(s, LOG);
	r = r < 0 ? r : durable_sync_folder(from);
	if (r == 0 && rename(from, to) < 0)
		r = -errno;
	if (r == 0 && durable_sync_folder(s->all->dir) < 0) {
		r = -EIO;
		store_remove(s, false);
	}
	return r < 0 ? err_sys(err, -r, "cannot store the snapshot") : 0;
}

/* --- those that are there ---------------------------------------------------------------------------------------- */
int store_load(struct snapshot *s, struct err *err)
{
	_cleanup_free_ char *path = store_path(s->all, "", s->name, RECORD);
	_cleanup_json_ json_t *root = NULL;
	int r = path ? durable_read_json(path, &root, err) : err_sys(err, ENOMEM, "snapshot");

	if (r == 0)
		r = snapshot_record_load(s, root, err);
	if (r < 0)
		return err_prefix(err, "its record can not be read");
	s->image = record_load_image(s->all->core, json_object_get(root, "image"), err);
	return s->image ? 0 : err_prefix(err, "its record can not be read");
}

int store_check(const struct snapshot *s, struct err *err)
{
	char is[DIGEST_TEXT_BYTES] = "";
	int r = digest_of(s->state_path, is);

	if (r < 0)
		return err_sys(err, -r, "snapshot %s: cannot read its state file", s->name);
	return strcmp(is, s->digest) == 0
		? 0
		: err_set(err, EBADMSG,
			  "snapshot %s is damaged: its state file is not the one that was written",
			  s->name);
}

static void read_of(const struct snapshots *ss, const char *name, char vm_id[ID_TEXT_BYTES])
{
	_cleanup_free_ char *path = store_path(ss, STORE_NEW, name, OF);
	_cleanup_close_ int fd =
		path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	ssize_t n = fd < 0 ? 0 : read(fd, vm_id, ID_TEXT_BYTES - 1);

	vm_id[n < 0 ? 0 : n] = '\0';
}

void store_each(struct snapshots *ss, store_fn *fn)
{
	DIR *dir = opendir(ss->dir);
	const size_t half = strlen(STORE_NEW);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		char vm_id[ID_TEXT_BYTES] = "";

		if (strncmp(d->d_name, STORE_NEW, half) == 0 && name_is_valid(d->d_name + half)) {
			read_of(ss, d->d_name + half, vm_id);
			fn(ss, d->d_name + half, true, vm_id);
		} else if (name_is_valid(d->d_name)) {
			fn(ss, d->d_name, false, "");
		}
	}
	if (dir)
		closedir(dir);
}
