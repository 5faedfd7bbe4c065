/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tmpfs, with or without an image below: making and ending of inodes, the operations that are not about names in directories or
 * data. An inode with something below is found by its nid as long as it is in memory, so that hard links of the image are one inode;
 * once changed it is pinned, because the image cannot tell the change.
 */
#include "libos/fs/memfs.h"

#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/sys/syscall.h"
#include "libos/fs/fd.h"
#include "libos/fs/perm.h"

#define TMPFS_MAGIC   0x01021994u
#define OVERLAY_MAGIC 0x794c7630u

int memfs_inode_new(struct super *sb, uint32_t mode, struct inode **inode)
{
	struct memfs_inode *mi;

	if (sb->inodes >= sb->inodes_max)
		return -ENOSPC;
	mi = kzalloc(sizeof(*mi));
	if (!mi)
		return -ENOMEM;
	inode_init(&mi->vfs, &memfs_inode_ops, sb, mode);
	mi->vfs.btime_ns = mi->vfs.ctime_ns;
	mi->vfs.ino = sb->next_ino++;
	if ((mode & S_IFMT) == S_IFDIR)
		mi->vfs.nlink = 2;
	sb->inodes++;
	*inode = &mi->vfs;
	return 0;
}

static void nid_hash(struct memfs_super *sb, struct memfs_inode *mi)
{
	struct memfs_inode **b = &sb->bucket[mi->lower.nid % NID_BUCKETS];

	mi->nid_next = *b;
	*b = mi;
}

static void nid_unhash(struct memfs_super *sb, struct memfs_inode *mi)
{
	struct memfs_inode **b = &sb->bucket[mi->lower.nid % NID_BUCKETS];

	while (*b != mi)
		b = &(*b)->nid_next;
	*b = mi->nid_next;
}

int memfs_iget(struct memfs_super *sb, uint64_t nid, struct inode **inode)
{
	struct erofs_inode lower;
	struct memfs_inode *mi;
	int rc;

	for (mi = sb->bucket[nid % NID_BUCKETS]; mi; mi = mi->nid_next) {
		if (mi->lower.nid == nid) {
			*inode = inode_get(&mi->vfs);
			return 0;
		}
	}
	rc = erofs_inode(&sb->image, nid, &lower);
	if (rc < 0)
		return -EIO;
	mi = kzalloc(sizeof(*mi));
	if (!mi)
		return -ENOMEM;
	inode_init(&mi->vfs, &memfs_inode_ops, &sb->vfs, lower.mode);
	mi->lower = lower;
	mi->has_lower = true;
	mi->lower_limit = (lower.mode & S_IFMT) == S_IFREG ? lower.size : 0;
	mi->vfs.ino = nid + 1;
	mi->vfs.nlink = lower.nlink ? lower.nlink : 1;
	mi->vfs.uid = lower.uid;
	mi->vfs.gid = lower.gid;
	mi->vfs.rdev = lower.rdev;
	mi->vfs.size = lower.size;
	mi->vfs.atime_ns = mi->vfs.mtime_ns = mi->vfs.ctime_ns = lower.mtime_ns;
	sb->vfs.inodes++;
	nid_hash(sb, mi);
	*inode = &mi->vfs;
	return 0;
}

int memfs_touch(struct inode *inode)
{
	struct memfs_inode *mi = memfs_of(inode);

	if (mi->has_lower && !mi->pinned && inode->nlink) {
		mi->pinned = true;
		inode_get(inode);
	}
	return 0;
}

/* What is the image's alone keeps its times, as below an overlay. */
static void memfs_accessed(struct inode *inode)
{
	const struct memfs_inode *mi = memfs_of(inode);

	if (!mi->has_lower || mi->pinned)
		inode_read(inode);
}

static void memfs_release(struct inode *inode)
{
	struct memfs_inode *mi = memfs_of(inode);

	if (mi->has_lower)
		nid_unhash(memfs_super_of(inode), mi);
	memfs_data_free(mi);
	xattr_free(inode);
	kfree(mi->link);
	kfree(mi->slot);
	inode->sb->inodes--;
	kfree(mi);
}

static int memfs_create(struct dentry *dir, const char *name, unsigned len, uint32_t mode,
	uint64_t rdev, const char *link, struct dentry **dentry)
{
	struct inode *inode;
	int rc = memfs_inode_new(dir->inode->sb, mode, &inode);

	if (rc < 0)
		return rc;
	inode->rdev = rdev;
	inode_born(inode, dir->inode);
	if (link) {
		memfs_of(inode)->link = kstrdup(link);
		inode->size = strlen(link);
		rc = memfs_of(inode)->link ? 0 : -ENOMEM;
	}
	if (!rc)
		rc = memfs_name_add(dir, name, len, inode, dentry);
	if (!rc && inode_is(inode, S_IFDIR))
		dir->inode->nlink++;
	inode_put(inode);
	return rc;
}

static int memfs_link(struct dentry *dir, const char *name, unsigned len, struct inode *inode)
{
	struct dentry *d;
	int rc = memfs_name_add(dir, name, len, inode, &d);

	if (rc < 0)
		return rc;
	dentry_put(d);
	inode->nlink++;
	inode_changed(inode);
	return memfs_touch(inode);
}

static int memfs_tmpfile(struct super *sb, uint32_t mode, struct inode **inode)
{
	int rc = memfs_inode_new(sb, mode, inode);

	if (rc < 0)
		return rc;
	inode_born(*inode, NULL);
	(*inode)->nlink = 0;
	(*inode)->linkable = true;
	return 0;
}

static long memfs_readlink(struct inode *inode, char *buf, size_t size)
{
	struct memfs_inode *mi = memfs_of(inode);
	const uint8_t *data;
	const char *text = mi->link;
	uint64_t n = inode->size;

	if (!text) {
		if (!n || n >= PATH_MAX)
			return -EIO;
		if (erofs_data(&memfs_super_of(inode)->image, &mi->lower, 0, &data, &n) < 0 ||
			!data || n < inode->size)
			return -EIO;
		text = (const char *)data;
		n = strnlen(text, inode->size);
	}
	memcpy(buf, text, n < size ? n : size);
	return (long)n;
}

static int memfs_open(struct inode *inode, struct file *f)
{
	switch (inode->mode & S_IFMT) {
	case S_IFREG:
		f->ops = &memfs_file_ops;
		return 0;
	case S_IFDIR:
		f->ops = &memfs_dir_ops;
		return 0;
	case S_IFIFO:
		return fifo_open(inode, f);
	case S_IFCHR:
		return chrdev_open(inode, f);
	case S_IFBLK:
		return blkdev_open(inode, f);
	default:
		return -ENXIO;
	}
}

static void memfs_stat(struct inode *inode, struct kstat *st)
{
	struct memfs_inode *mi = memfs_of(inode);

	st->blocks = (mi->npages * PAGE_BYTES + (mi->lower_limit + 511)) / 512;
}

const struct inode_ops memfs_inode_ops = {
	.lookup = memfs_lookup,
	.create = memfs_create,
	.link = memfs_link,
	.unlink = memfs_unlink,
	.empty = memfs_empty,
	.rename = memfs_rename,
	.tmpfile = memfs_tmpfile,
	.readlink = memfs_readlink,
	.accessed = memfs_accessed,
	.open = memfs_open,
	.truncate = memfs_truncate,
	.fallocate = memfs_fallocate,
	.touch = memfs_touch,
	.stat = memfs_stat,
	.release = memfs_release,
};

static int image_open(struct memfs_super *ms, const void *image, uint64_t bytes)
{
	struct erofs_inode root;

	if (erofs_open(&ms->image, image, bytes) < 0 ||
		erofs_inode(&ms->image, ms->image.root_nid, &root) < 0 ||
		(root.mode & S_IFMT) != S_IFDIR) {
		kprintf("image: no EROFS image that can be read (uncompressed, 4 KiB blocks)");
		return -EINVAL;
	}
	ms->has_image = true;
	ms->vfs.next_ino = ms->image.bytes / 32 + 2; /* above all nids */
	return 0;
}

int memfs_new(const char *type, const void *image, uint64_t image_bytes, uint64_t pages_max,
	struct super **sb)
{
	struct memfs_super *ms = kzalloc(sizeof(*ms));
	struct inode *root = NULL;
	int rc = 0;

	if (!ms)
		return -ENOMEM;
	ms->vfs = (struct super){.type = type,
		.dev = dev_new(),
		.magic = image ? OVERLAY_MAGIC : TMPFS_MAGIC,
		.pages_max = pages_max + image_bytes / PAGE_BYTES,
		.pages = image_bytes / PAGE_BYTES,
		.inodes_max = pages_max,
		.xattrs = true,
		.next_ino = 1};
	if (image)
		rc = image_open(ms, image, image_bytes);
	if (!rc)
		rc = image ? memfs_iget(ms, ms->image.root_nid, &root)
			   : memfs_inode_new(&ms->vfs, S_IFDIR | 0755, &root);
	if (!rc) {
		ms->vfs.root = dentry_new(NULL, "/", 1, root);
		rc = ms->vfs.root ? 0 : -ENOMEM;
	}
	inode_put(root);
	if (rc < 0) {
		kfree(ms);
		return rc;
	}
	*sb = &ms->vfs;
	return 0;
}

/* ---- memfd_create(2): nameless files of a tmpfs that is mounted nowhere */
static struct super *memfd_super(void)
{
	static struct super *sb;

	if (!sb && memfs_new("tmpfs", NULL, 0, page_total() / 2, &sb) < 0)
		return NULL;
	return sb;
}

int memfs_nameless(const char *name, struct file **file)
{
	struct super *sb = memfd_super();
	struct inode *inode;
	struct dentry *d;
	int rc;

	if (!sb)
		return -ENOMEM;
	rc = memfs_tmpfile(sb, S_IFREG | 0777, &inode);
	if (rc < 0)
		return rc;
	inode->linkable = false;
	inode->seals = F_SEAL_SEAL;
	d = dentry_new(NULL, name, (unsigned)strlen(name), inode);
	inode_put(inode);
	if (!d)
		return -ENOMEM;
	rc = dentry_open(d, O_RDWR | O_LARGEFILE, file);
	dentry_put(d);
	return rc;
}

long sys_memfd_create(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[1],
		 known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_NOEXEC_SEAL |
		MFD_EXEC | (flags & MFD_HUGETLB ? MFD_HUGE_SIZES : 0);
	char name[NAME_MAX - 6 + 1]; /* "memfd:" and the name are a NAME_MAX */
	char full[NAME_MAX + 8];
	struct file *f;
	long rc;

	if (flags & ~known)
		return -EINVAL;
	rc = strncpy_from_user(name, a[0], sizeof(name) - 1);
	if (rc < 0)
		return rc == -ENAMETOOLONG ? -EINVAL : rc;
	if (flags & MFD_HUGETLB) /* there are no huge pages of any size */
		return -ENODEV;
	snprintf(full, sizeof(full), "/memfd:%.248s", name);
	rc = memfs_nameless(full, &f);
	if (rc < 0)
		return rc;
	if (flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL))
		f->inode->seals = 0;
	return fd_install_new(f, flags & MFD_CLOEXEC);
}
