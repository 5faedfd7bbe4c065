/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on names: walk, create, link, rename, remove. Calls that take a folder's descriptor and one name never follow that name. */
#include "vmm/p9/server_impl.h"

#include "lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define PERMISSIONS 01777u /* no set-user-id, no set-group-id: the files are the monitor's user's */

/* The descriptor that f's name walks to, and the answers on the way: *done of n names. */
static int walk_names(struct p9_call *c, const struct p9_fid *f, uint16_t n, struct p9_qid *qid,
	uint16_t *done, mode_t *type)
{
	int fd = fcntl(f->path_fd, F_DUPFD_CLOEXEC, 0), r;
	struct stat st;

	if (fd < 0)
		return -errno;
	*type = f->type;
	for (*done = 0; *done < n; ++*done) {
		char name[P9_NAME_MAX + 1];
		int next;

		r = p9_get_name(&c->in, name);
		next = r < 0 ? r : p9_host_child(fd, name, &st);
		if (next < 0) {
			close(fd);
			return next;
		}
		close(fd);
		fd = next;
		*type = st.st_mode & S_IFMT;
		qid[*done] = p9_host_qid(c->s, &st);
	}
	return fd;
}

static int set_fid(struct p9_call *c, struct p9_fid *f, uint32_t new, int fd, mode_t type)
{
	if (new != f->id)
		return p9_fid_add(&c->s->fids, new, fd, type);
	p9_fid_replace(f, fd, type);
	return 0;
}

int p9_op_walk(struct p9_call *c)
{
	struct p9_qid qid[P9_WALK_MAX];
	uint16_t n, done = 0;
	struct p9_fid *f;
	uint32_t new;
	mode_t type = S_IFDIR;
	int r = p9_take_fid(c, &f), fd;

	if (r < 0)
		return r;
	new = p9_get32(&c->in);
	n = p9_get16(&c->in);
	if (c->in.bad || n > P9_WALK_MAX)
		return -EINVAL;
	fd = walk_names(c, f, n, qid, &done, &type);
	if (fd < 0 && (done == 0 || fd == -EINVAL))
		return fd;
	r = fd < 0 ? 0 : set_fid(c, f, new, fd, type); /* else: walked in part, no new fid */
	if (r < 0)
		return r;
	p9_put16(&c->out, done);
	for (uint16_t i = 0; i < done; i++)
		p9_put_qid(&c->out, &qid[i]);
	return 0;
}

/* Answers with the qid of a name that was just made. */
static int put_child(struct p9_call *c, int dir_fd, const char *name)
{
	struct p9_qid qid;
	struct stat st;
	int fd = p9_host_child(dir_fd, name, &st);

	if (fd < 0)
		return fd;
	close(fd);
	qid = p9_host_qid(c->s, &st);
	p9_put_qid(&c->out, &qid);
	return 0;
}

/* Opens what is there already, by the rules of an open. */
static int create_existing(struct p9_call *c, int dir_fd, const char *name, int flags, int *io_fd)
{
	struct stat st;
	int fd = p9_host_child(dir_fd, name, &st), r;

	if (fd < 0)
		return fd;
	r = S_ISDIR(st.st_mode) ? -EISDIR : p9_host_reopen(c->s, fd, st.st_mode & S_IFMT, flags);
	if (r < 0) {
		close(fd);
		return r;
	}
	*io_fd = r;
	return fd;
}

/* Makes the file, or opens the one that is there. O_PATH descriptor, and *io_fd for data. */
static int create_file(struct p9_call *c, const struct p9_fid *dir, const char *name,
	uint32_t flags, uint32_t mode, int *io_fd)
{
	int open_flags = p9_host_flags(flags), fd;
	struct stat st, made;

	*io_fd = openat(dir->path_fd, name,
		open_flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		mode & PERMISSIONS);
	if (*io_fd < 0 && (errno != EEXIST || (flags & P9_OPEN_EXCL)))
		return -errno;
	if (*io_fd < 0)
		return create_existing(c, dir->path_fd, name, open_flags, io_fd);
	/* The name is looked up for the second descriptor: it must be the same file still. */
	fd = p9_host_child(dir->path_fd, name, &st);
	if (fd >= 0 &&
		(fstat(*io_fd, &made) < 0 || made.st_ino != st.st_ino ||
			made.st_dev != st.st_dev)) {
		close(fd);
		fd = -ESTALE;
	}
	if (fd < 0)
		close(*io_fd);
	return fd;
}

int p9_op_lcreate(struct p9_call *c)
{
	char name[P9_NAME_MAX + 1];
	uint32_t flags, mode;
	struct p9_qid qid;
	struct p9_fid *f;
	struct stat st;
	int r = p9_take_dir_name(c, &f, name), fd, io_fd;

	if (r < 0)
		return r;
	flags = p9_get32(&c->in);
	mode = p9_get32(&c->in);
	if (c->in.bad || f->io_fd >= 0)
		return -EINVAL;
	fd = create_file(c, f, name, flags, mode, &io_fd);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0) {
		r = -errno;
		close(fd);
		close(io_fd);
		return r;
	}
	p9_fid_replace(f, fd, S_IFREG);
	f->io_fd = io_fd;
	f->writable = (flags & P9_OPEN_ACCMODE) != 0;
	f->synced = (flags & P9_OPEN_SYNC) != 0;
	qid = p9_host_qid(c->s, &st);
	p9_put_qid(&c->out, &qid);
	p9_put32(&c->out, 0);
	return 0;
}

int p9_op_mkdir(struct p9_call *c)
{
	char name[P9_NAME_MAX + 1];
	struct p9_fid *dir;
	uint32_t mode;
	int r = p9_take_dir_name(c, &dir, name);

	if (r < 0)
		return r;
	mode = p9_get32(&c->in);
	if (c->in.bad)
		return -EINVAL;
	if (mkdirat(dir->path_fd, name, mode & PERMISSIONS) < 0)
		return -errno;
	return put_child(c, dir->path_fd, name);
}

int p9_op_symlink(struct p9_call *c)
{
	char name[P9_NAME_MAX + 1], target[PATH_MAX];
	struct p9_fid *dir;
	int r = p9_take_dir_name(c, &dir, name);

	if (r < 0)
		return r;
	p9_get_string(&c->in, target, sizeof(target) - 1);
	if (c->in.bad)
		return -EINVAL;
	if (symlinkat(target, dir->path_fd, name) < 0)
		return -errno;
	return put_child(c, dir->path_fd, name);
}

int p9_op_mknod(struct p9_call *c)
{
	char name[P9_NAME_MAX + 1];
	struct p9_fid *dir;
	uint32_t mode, type;
	int r = p9_take_dir_name(c, &dir, name);

	if (r < 0)
		return r;
	mode = p9_get32(&c->in);
	if (c->in.bad)
		return -EINVAL;
	type = mode & S_IFMT;
	if (type != S_IFIFO && type != S_IFSOCK && type != S_IFREG)
		return -EPERM;
	if (mknodat(dir->path_fd, name, type | (mode & PERMISSIONS), 0) < 0)
		return -errno;
	return put_child(c, dir->path_fd, name);
}

int p9_op_readlink(struct p9_call *c)
{
	char text[PATH_MAX];
	struct p9_fid *f;
	int r = p9_take_fid(c, &f);
	ssize_t n;

	if (r < 0)
		return r;
	if (f->type != S_IFLNK)
		return -EINVAL;
	n = readlinkat(f->path_fd, "", text, sizeof(text));
	if (n < 0)
		return -errno;
	p9_put_string(&c->out, text, (uint32_t)n);
	return 0;
}

int p9_op_link(struct p9_call *c)
{
	char name[P9_NAME_MAX + 1];
	struct p9_fid *dir, *f;
	int r = p9_take_fid(c, &dir);

	if (r == 0)
		r = p9_take_fid(c, &f);
	if (r == 0)
		r = p9_get_name(&c->in, name);
	if (r != 0)
		return r;
	if (dir->type != S_IFDIR)
		return -ENOTDIR;
	if (f->type == S_IFDIR)
		return -EPERM;
	/* The magic link leads to the inode itself; without AT_EMPTY_PATH no capability is needed. */
	if (linkat(c->s->proc_fd, p9_host_proc_name(f->path_fd).text, dir->path_fd, name,
		    AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	return 0;
}

int p9_op_renameat(struct p9_call *c)
{
	char from[P9_NAME_MAX + 1], to[P9_NAME_MAX + 1];
	struct p9_fid *old, *new;
	int r = p9_take_dir_name(c, &old, from);

	if (r == 0)
		r = p9_take_dir_name(c, &new, to);
	if (r != 0)
		return r;
	return renameat(old->path_fd, from, new->path_fd, to) < 0 ? -errno : 0;
}

/* By fid: its name is not known here, a descriptor has none that lasts. Clients that know Trenameat do not ask. */
int p9_op_rename(struct p9_call *c)
{
	(void)c;
	return -EOPNOTSUPP;
}

int p9_op_unlinkat(struct p9_call *c)
{
	char name[P9_NAME_MAX + 1];
	struct p9_fid *dir;
	uint32_t flags;
	int r = p9_take_dir_name(c, &dir, name);

	if (r < 0)
		return r;
	flags = p9_get32(&c->in);
	if (c->in.bad || (flags & ~P9_UNLINK_DIR))
		return -EINVAL;
	return unlinkat(dir->path_fd, name, flags ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
}

/* As p9_op_rename(); the fid goes all the same (remove(5)). */
int p9_op_remove(struct p9_call *c)
{
	struct p9_fid *f;
	int r = p9_take_fid(c, &f);

	if (r < 0)
		return r;
	p9_fid_remove(&c->s->fids, f);
	return -EOPNOTSUPP;
}
