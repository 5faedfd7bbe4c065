/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what with a file (path_resolution(7), inode(7)). Root may all, as long as it has its capabilities. Files that the program has made,
 * or whose owner it has set (inode.owned), follow their mode. All others belong to whoever asks: owners are not kept in images and
 * on volumes, so a program that has dropped root must be able to use what was packed for it.
 */
#include "libos/fs/perm.h"

#include "libos/klib/errno.h"
#include "libos/sys/cred.h"

bool vfs_program_runs;

struct who {
	uint32_t uid, gid;
	bool override, search; /* CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH */
};

static bool in_group(const struct who *who, uint32_t gid)
{
	return who->gid == gid || cred_in_groups(gid);
}

static bool mode_allows(const struct inode *inode, const struct who *who, unsigned want)
{
	unsigned bits = inode->mode;

	if (!inode->owned || inode->uid == who->uid)
		bits >>= 6;
	else if (in_group(who, inode->gid))
		bits >>= 3;
	return !(want & ~bits);
}

static int allowed(const struct inode *inode, const struct who *who, unsigned want)
{
	bool dir = inode_is(inode, S_IFDIR);

	/* Nobody executes what has no x at all; everything else the right capability may. */
	if (who->override && (dir || !(want & MAY_EXEC) || (inode->mode & 0111)))
		return 0;
	if (who->search && (dir ? !(want & MAY_WRITE) : want == MAY_READ))
		return 0;
	return mode_allows(inode, who, want) ? 0 : -EACCES;
}

int inode_may(const struct inode *inode, unsigned want)
{
	const struct who who = {cred.uid.fs, cred.gid.fs, cred_has(CAP_DAC_OVERRIDE),
		cred_has(CAP_DAC_READ_SEARCH)};

	return allowed(inode, &who, want);
}

int inode_may_really(const struct inode *inode, unsigned want)
{
	bool root = !cred.uid.real;
	const struct who who = {cred.uid.real, cred.gid.real,
		root && cred.caps.permitted >> CAP_DAC_OVERRIDE & 1,
		root && cred.caps.permitted >> CAP_DAC_READ_SEARCH & 1};

	return allowed(inode, &who, want);
}

bool inode_mine(const struct inode *inode)
{
	return !inode->owned || inode->uid == cred.uid.fs || cred_has(CAP_FOWNER);
}

int dir_may_change(const struct inode *dir)
{
	return inode_may(dir, MAY_WRITE | MAY_EXEC);
}

int dir_may_remove(const struct dentry *d)
{
	const struct inode *dir = d->parent->inode;
	int rc = dir_may_change(dir);

	/* A folder of the image is nobody's own here, or each could take away what others made in /tmp. */
	if (rc < 0 || !(dir->mode & S_ISVTX) || inode_mine(d->inode) ||
		(dir->owned && inode_mine(dir)))
		return rc;
	return -EPERM;
}

bool may_make_node(uint32_t type)
{
	return (type != S_IFCHR && type != S_IFBLK) || cred_has(CAP_MKNOD);
}

bool may_be_setgid(const struct inode *inode)
{
	return !inode->owned || inode->gid == cred.gid.fs || cred_in_groups(inode->gid) ||
		cred_has(CAP_FSETID);
}

bool may_chown(const struct inode *inode, uint32_t uid, uint32_t gid)
{
	bool owner = !inode->owned || inode->uid == cred.uid.fs;

	if (cred_has(CAP_CHOWN))
		return true;
	return owner && (uid == UINT32_MAX || uid == inode->uid) &&
		(gid == UINT32_MAX || gid == inode->gid || gid == cred.gid.fs ||
			cred_in_groups(gid));
}

void inode_born(struct inode *inode, const struct inode *dir)
{
	inode->owned = vfs_program_runs;
	inode->uid = cred.uid.fs;
	inode->gid = cred.gid.fs;
	if (!dir || !(dir->mode & S_ISGID))
		return;
	inode->gid = dir->gid;
	if (inode_is(inode, S_IFDIR))
		inode->mode |= S_ISGID;
}

uint32_t mode_for(const struct inode *dir, uint32_t mode)
{
	if ((dir->mode & S_ISGID) && (mode & (S_ISGID | 010)) == (S_ISGID | 010) &&
		!may_be_setgid(dir))
		mode &= ~S_ISGID;
	return (mode & ~S_PERM) | (mode & S_PERM & ~vfs_umask);
}

void inode_written(struct inode *inode)
{
	if (!inode_is(inode, S_IFREG) || !(inode->mode & (S_ISUID | S_ISGID)) ||
		cred_has(CAP_FSETID))
		return;
	inode->mode &= ~S_ISUID;
	if (inode->mode & 010)
		inode->mode &= ~S_ISGID;
}
