/* SPDX-License-Identifier: Apache-2.0 */
/* What all inodes have in common: references, times, stat, device numbers. */
#include "libos/fs/inode.h"

#include "libos/klib/errno.h"
#include "libos/mem/page.h"
#include "libos/sched/thread.h"

#define DAY_NS (24 * 3600 * NS_PER_SEC)

void inode_init(struct inode *inode, const struct inode_ops *ops, struct super *sb, uint32_t mode)
{
	inode->ops = ops;
	inode->sb = sb;
	inode->mode = mode;
	inode->refs = 1;
	inode->nlink = 1;
	inode->atime_ns = inode->mtime_ns = inode->ctime_ns = clock_real_ns();
	list_init(&inode->flocks);
	list_init(&inode->ranges);
}

void inode_put(struct inode *inode)
{
	if (!inode || --inode->refs)
		return;
	if (inode_is(inode, S_IFIFO) && inode->bound)
		fifo_forget(inode);
	inode->ops->release(inode);
}

void inode_stat(struct inode *inode, struct kstat *st)
{
	*st = (struct kstat){
		.dev = inode->sb->dev,
		.ino = inode->ino,
		.mode = inode->mode,
		.nlink = inode->nlink,
		.uid = inode->uid,
		.gid = inode->gid,
		.rdev = inode->rdev,
		.size = inode->size,
		.blksize = PAGE_BYTES,
		.blocks = (inode->size + 511) / 512,
		.atime_ns = inode->atime_ns,
		.mtime_ns = inode->mtime_ns,
		.ctime_ns = inode->ctime_ns,
		.btime_ns = inode->btime_ns,
	};
	if (inode->ops->stat)
		inode->ops->stat(inode, st);
}

void inode_read(struct inode *inode)
{
	uint64_t now = clock_real_ns();

	if (inode->atime_ns <= inode->mtime_ns || inode->atime_ns <= inode->ctime_ns ||
		(now > inode->atime_ns && now - inode->atime_ns >= DAY_NS))
		inode->atime_ns = now;
}

void file_accessed(const struct file *f)
{
	if (f->inode && f->inode->ops->accessed && !(f->flags & O_NOATIME))
		f->inode->ops->accessed(f->inode);
}

void inode_changed(struct inode *inode)
{
	inode->ctime_ns = clock_real_ns();
}

void inode_modified(struct inode *inode)
{
	inode->mtime_ns = inode->ctime_ns = clock_real_ns();
}

/* The encoding that stat(2) shows (new_encode_dev of Linux, makedev(3)). */
uint64_t dev_make(uint32_t major, uint32_t minor)
{
	return (minor & 0xffu) | ((uint64_t)(major & 0xfffu) << 8) |
		((uint64_t)(minor & ~0xffu) << 12) | ((uint64_t)(major & ~0xfffu) << 32);
}

uint32_t dev_major(uint64_t dev)
{
	return (uint32_t)((dev >> 8) & 0xfff) | ((uint32_t)(dev >> 32) & ~0xfffu);
}

uint32_t dev_minor(uint64_t dev)
{
	return (uint32_t)(dev & 0xff) | ((uint32_t)(dev >> 12) & ~0xffu);
}

uint64_t dev_new(void)
{
	static uint32_t last = 20;

	return dev_make(0, ++last);
}
