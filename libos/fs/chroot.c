/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chroot(2): the walk begins and ends at vfs_root (namei.c), so this is all that a new root takes. What is open outside, and the working
 * directory, stay as they are; a path that is not below the root is shown as "(unreachable)" (dcache.c).
 */
#include "libos/fs/inode.h"
#include "libos/klib/errno.h"
#include "libos/sys/cred.h"
#include "libos/sys/syscall.h"

long sys_chroot(const uint64_t a[6])
{
	struct dentry *d;
	int rc = walk_to_folder(a[0], &d);

	if (rc < 0)
		return rc;
	if (!cred_has(CAP_SYS_CHROOT)) {
		dentry_put(d);
		return -EPERM;
	}
	dentry_put(vfs_root);
	vfs_root = d;
	return 0;
}
