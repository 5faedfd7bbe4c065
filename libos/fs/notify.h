/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where files change, inotify (inotify.c) is told by these calls. Nobody watching costs one test. A name's inode is told, and the
 * directory that the name is in, with the name. Only what the program does itself is seen: not what others do in a shared folder.
 */
#ifndef LIBOS_FS_NOTIFY_H
#define LIBOS_FS_NOTIFY_H

#include "libos/fs/inode.h"

#define IN_ACCESS        0x1u
#define IN_MODIFY        0x2u
#define IN_ATTRIB        0x4u
#define IN_CLOSE_WRITE   0x8u
#define IN_CLOSE_NOWRITE 0x10u
#define IN_OPEN          0x20u
#define IN_MOVED_FROM    0x40u
#define IN_MOVED_TO      0x80u
#define IN_CREATE        0x100u
#define IN_DELETE        0x200u
#define IN_DELETE_SELF   0x400u
#define IN_MOVE_SELF     0x800u
#define IN_ISDIR         0x40000000u

extern unsigned notify_watches; /* how many there are */

void notify_tell(struct dentry *d, uint32_t mask);
void notify_tell_name(
	struct inode *dir, const char *name, unsigned len, uint32_t mask, uint32_t cookie);
/* The inode alone. */
void notify_tell_self(struct inode *inode, uint32_t mask);
void notify_tell_unlinked(struct dentry *d);
void notify_forget(struct inode *inode);
uint32_t notify_cookie(void);
/* Calls line for each watch of an inotify descriptor; for other files not at all. */
void notify_each_watch(const struct file *f,
	void (*line)(void *arg, int wd, const struct inode *inode, uint32_t mask), void *arg);

/* Something was done with the file d (NULL: none that has a name). */
static inline void notify(struct dentry *d, uint32_t mask)
{
	if (notify_watches && d)
		notify_tell(d, mask);
}

/* A name was made in dir; what it names is a directory or not. */
static inline void notify_created(struct dentry *dir, const char *name, unsigned len, bool is_dir)
{
	if (notify_watches)
		notify_tell_name(dir->inode, name, len, IN_CREATE | (is_dir ? IN_ISDIR : 0), 0);
}

/* The name d was taken away; d is held by the caller. */
static inline void notify_unlinked(struct dentry *d)
{
	if (notify_watches)
		notify_tell_unlinked(d);
}

/* The last name and the last open file of inode are gone. */
static inline void notify_gone(struct inode *inode)
{
	if (notify_watches && inode && !inode->nlink && inode->watches)
		notify_forget(inode);
}

#endif
