/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What execve(2) says of the file before anything would be run, for programs that look for one along PATH: an instance is one program, so a
 * file that could be run is the end of it (sched/sys_thread.c).
 */
#include "libos/fs/inode.h"
#include "libos/fs/perm.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"

#define ARGS_MAX (1u << 17) /* strings in argv and envp */

/* ELF, or a script. */
static int runnable(struct dentry *d)
{
	struct file *f;
	char head[4];
	int rc = dentry_open(d, O_RDONLY, &f);
	long n;

	if (rc < 0)
		return rc;
	n = file_pread(f, head, sizeof(head), 0);
	file_put(f);
	if (n < 0)
		return (int)n;
	if ((n == 4 && !memcmp(head, "\177ELF", 4)) || (n >= 2 && !memcmp(head, "#!", 2)))
		return 0;
	return -ENOEXEC;
}

/* An array of strings, as argv is: NULL at its end. It may be missing. */
static int strings(uptr_t at)
{
	uint64_t p;
	char c;

	for (unsigned n = 0; at && n < ARGS_MAX; n++, at += sizeof(p)) {
		if (get_user(&p, at) < 0)
			return -EFAULT;
		if (!p)
			return 0;
		if (get_user(&c, p) < 0)
			return -EFAULT;
	}
	return at ? -E2BIG : 0;
}

int vfs_may_execute(uptr_t path, uptr_t argv, uptr_t envp)
{
	struct dentry *d;
	int rc = walk_user(AT_FDCWD, path, WALK_FOLLOW, &d);

	if (rc < 0)
		return rc;
	rc = inode_is(d->inode, S_IFREG) ? inode_may(d->inode, MAY_EXEC) : -EACCES;
	if (!rc)
		rc = strings(argv);
	if (!rc)
		rc = strings(envp);
	if (!rc)
		rc = runnable(d);
	dentry_put(d);
	return rc;
}
