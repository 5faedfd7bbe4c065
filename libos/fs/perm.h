/* SPDX-License-Identifier: Apache-2.0 */
/* Permission on files (perm.c), for fs/ only. */
#ifndef LIBOS_FS_PERM_H
#define LIBOS_FS_PERM_H

#include "libos/fs/inode.h"

#define MAY_EXEC  1u
#define MAY_WRITE 2u
#define MAY_READ  4u

/* May the caller do all of want? 0 or -EACCES. The second asks for the real user (access(2)). */
int inode_may(const struct inode *inode, unsigned want);
int inode_may_really(const struct inode *inode, unsigned want);
/* Is the caller its owner, or as good as that? */
bool inode_mine(const struct inode *inode);
/* May it make names in this directory; may it take this name away (S_ISVTX)? 0, -EACCES or -EPERM. */
int dir_may_change(const struct inode *dir);
int dir_may_remove(const struct dentry *d);
bool may_make_node(uint32_t type);
/* May the caller give the file S_ISGID, that is: is it in the file's group? */
bool may_be_setgid(const struct inode *inode);
/* UINT32_MAX: stays as it is. */
bool may_chown(const struct inode *inode, uint32_t uid, uint32_t gid);
/* A new inode gets its owner and group; dir NULL: it has no directory. */
void inode_born(struct inode *inode, const struct inode *dir);
/* The mode that a new file below dir gets: S_ISGID only for who is in its group, then the umask. */
uint32_t mode_for(const struct inode *dir, uint32_t mode);
/* It was written or cut: set-user-id ends, unless root did it. */
void inode_written(struct inode *inode);

#endif
