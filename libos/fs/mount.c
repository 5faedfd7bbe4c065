/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree at boot: root (image with tmpfs above, or an empty tmpfs), and on it /proc, /sys, /dev, /dev/shm and /tmp. A directory that is missing in
 * the image is made in the layer above; what an image has in /tmp stays there, with the layer above instead of a tmpfs. Half of the memory that is free at boot is the limit of all file data together per file system.
 */
#include "libos/fs/memfs.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"

#define MOUNTS_MAX 24 /* ours, and volumes */

static struct super *mounts[MOUNTS_MAX];
static unsigned nmounts;

int vfs_mount(struct super *sb, struct dentry *d)
{
	if (nmounts == MOUNTS_MAX)
		return -ENOSPC;
	d->mounted = sb->root;
	sb->root->covers = dentry_get(d);
	mounts[nmounts++] = sb;
	return 0;
}

int vfs_sync_all(bool at_end)
{
	int error = 0;

	for (unsigned i = 0; i < nmounts; i++) {
		int rc = mounts[i]->sync_all ? mounts[i]->sync_all(mounts[i], at_end) : 0;

		error = error ? error : rc;
	}
	return error;
}

void vfs_each_mount(void (*fn)(const char *path, struct super *sb, void *arg), void *arg)
{
	char path[64];
	bool deleted;

	for (unsigned i = 0; i < nmounts; i++) {
		if (dentry_path(mounts[i]->root, path, sizeof(path), &deleted) >= 0)
			fn(path, mounts[i], arg);
	}
}

static int tmpfs_new(struct super **sb)
{
	int rc = memfs_new("tmpfs", NULL, 0, page_total() / 2, sb);

	if (!rc)
		(*sb)->root->inode->mode = S_IFDIR | 01777;
	return rc;
}

static const struct {
	const char *path;
	int (*make)(struct super **sb);
	bool spares; /* what the image has there stays to be seen, and is as writable */
} tree[] = {
	{"/proc", procfs_new},
	{"/sys", sysfs_new},
	{"/dev", devfs_new},
	{"/dev/shm", tmpfs_new},
	{"/tmp", tmpfs_new, .spares = true},
};

/* Open to all, as the one that would be mounted. */
static int spare(struct inode *folder)
{
	folder->mode = S_IFDIR | 01777;
	return memfs_touch(folder);
}

static int mount_at(const char *path, int (*make)(struct super **sb), bool spares)
{
	struct dentry *d;
	struct super *sb;
	int rc = vfs_mkdir(AT_FDCWD, path, 0755);

	if (rc < 0 && rc != -EEXIST)
		return rc;
	rc = walk_kernel(path, WALK_FOLLOW | WALK_DIRECTORY, &d);
	if (rc < 0)
		return rc;
	if (spares && !memfs_empty(d)) {
		rc = spare(d->inode);
	} else {
		rc = make(&sb);
		if (!rc)
			rc = vfs_mount(sb, d);
	}
	dentry_put(d); /* the mount keeps its own reference */
	return rc;
}

int vfs_init(const void *image, uint64_t image_bytes)
{
	struct super *sb;
	int rc = memfs_new(image ? "overlay" : "tmpfs", image, image_bytes, page_total() / 2, &sb);

	if (rc < 0)
		return rc;
	vfs_root = dentry_get(sb->root);
	vfs_cwd = dentry_get(vfs_root);
	mounts[nmounts++] = sb;
	for (unsigned i = 0; i < sizeof(tree) / sizeof(tree[0]) && rc >= 0; i++)
		rc = mount_at(tree[i].path, tree[i].make, tree[i].spares);
	return rc;
}
