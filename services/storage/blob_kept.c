/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that were written last stay open: who asked for a picture to be stored mostly has it read soon (a worker its input,
 * a page the result), and on a volume of a unikernel looking a file up, opening and closing it are messages to the host,
 * reading it is one. What is read is the file, checked as any other. A copy of the descriptor is kept under the name, at most
 * BLOB_KEPT of them, the oldest goes first.
 */
#include "services/storage/blob_impl.h"

#include <fcntl.h>
#include <string.h>

void blob_kept_init(struct blob_dir *dir)
{
	for (size_t i = 0; i < BLOB_KEPT; i++)
		dir->kept[i].fd = -1;
}

static void drop(struct blob_kept *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

void blob_kept_fini(struct blob_dir *dir)
{
	for (size_t i = 0; i < BLOB_KEPT; i++)
		drop(&dir->kept[i]);
}

static const struct blob_kept *find(const struct blob_dir *dir, const char *name)
{
	for (size_t i = 0; i < BLOB_KEPT; i++) {
		if (dir->kept[i].fd >= 0 && strcmp(dir->kept[i].name, name) == 0)
			return &dir->kept[i];
	}
	return NULL;
}

void blob_keep(struct blob_dir *dir, const char *name, int fd)
{
	struct blob_kept *k = &dir->kept[dir->kept_next];

	blob_forget(dir, name);
	dir->kept_next = (dir->kept_next + 1) % BLOB_KEPT;
	drop(k);
	k->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* without one it is opened again */
	snprintf(k->name, sizeof(k->name), "%s", name);
}

void blob_forget(struct blob_dir *dir, const char *name)
{
	const struct blob_kept *k = find(dir, name);

	if (k)
		drop(&dir->kept[k - dir->kept]);
}

int blob_kept(const struct blob_dir *dir, const char *name)
{
	const struct blob_kept *k = find(dir, name);

	return k ? k->fd : -1;
}
