/* SPDX-License-Identifier: Apache-2.0 */
/* What files and the file system say about themselves, and changing it. */
#include "vmm/p9/server_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statfs.h>
#include <unistd.h>

static void put_time(struct p9_out *out, const struct timespec *t)
{
	p9_put64(out, (uint64_t)t->tv_sec);
	p9_put64(out, (uint64_t)t->tv_nsec);
}

int p9_op_getattr(struct p9_call *c)
{
	const struct p9_server *s = c->s;
	struct p9_qid qid;
	struct p9_fid *f;
	struct stat st;
	int r = p9_take_fid(c, &f);

	if (r < 0)
		return r;
	if (fstat(f->path_fd, &st) < 0)
		return -errno;
	qid = p9_host_qid(s, &st);
	p9_put64(&c->out, P9_GETATTR_BASIC);
	p9_put_qid(&c->out, &qid);
	p9_put32(&c->out, st.st_mode);
	p9_put32(&c->out, st.st_uid == s->uid ? 0 : st.st_uid);
	p9_put32(&c->out, st.st_gid == s->gid ? 0 : st.st_gid);
	p9_put64(&c->out, st.st_nlink);
	p9_put64(&c->out, st.st_rdev);
	p9_put64(&c->out, (uint64_t)st.st_size);
	p9_put64(&c->out, (uint64_t)st.st_blksize);
	p9_put64(&c->out, (uint64_t)st.st_blocks);
	put_time(&c->out, &st.st_atim);
	put_time(&c->out, &st.st_mtim);
	put_time(&c->out, &st.st_ctim);
	put_time(&c->out, &(struct timespec){0}); /* birth: not told */
	p9_put64(&c->out, 0);
	p9_put64(&c->out, 0);
	return 0;
}

struct change {
	uint32_t valid, mode, uid, gid;
	uint64_t size;
	struct timespec times[2];
};

static struct timespec time_of(
	uint32_t valid, uint32_t now, uint32_t set, uint64_t sec, uint64_t nsec)
{
	if (!(valid & now))
		return (struct timespec){.tv_nsec = UTIME_OMIT};
	if (!(valid & set))
		return (struct timespec){.tv_nsec = UTIME_NOW};
	/* utimensat() refuses what is no time; the two special values must not come from outside */
	return (struct timespec){
		.tv_sec = (time_t)sec, .tv_nsec = nsec > 999999999 ? -1 : (long)nsec};
}

static int take_change(struct p9_call *c, struct change *to)
{
	uint64_t sec, nsec;

	to->valid = p9_get32(&c->in);
	to->mode = p9_get32(&c->in);
	to->uid = p9_get32(&c->in);
	to->gid = p9_get32(&c->in);
	to->size = p9_get64(&c->in);
	sec = p9_get64(&c->in);
	nsec = p9_get64(&c->in);
	to->times[0] = time_of(to->valid, P9_SETATTR_ATIME, P9_SETATTR_ATIME_SET, sec, nsec);
	sec = p9_get64(&c->in);
	nsec = p9_get64(&c->in);
	to->times[1] = time_of(to->valid, P9_SETATTR_MTIME, P9_SETATTR_MTIME_SET, sec, nsec);
	return c->in.bad || to->size > INT64_MAX ? -EINVAL : 0;
}

/* Owners do not change; to ask for the one that is there is no error. */
static int check_owner(const struct p9_server *s, const struct p9_fid *f, const struct change *to)
{
	struct stat st;

	if (!(to->valid & (P9_SETATTR_UID | P9_SETATTR_GID)))
		return 0;
	if (fstat(f->path_fd, &st) < 0)
		return -errno;
	if ((to->valid & P9_SETATTR_UID) && (to->uid == 0 ? s->uid : to->uid) != st.st_uid)
		return -EPERM;
	if ((to->valid & P9_SETATTR_GID) && (to->gid == 0 ? s->gid : to->gid) != st.st_gid)
		return -EPERM;
	return 0;
}

static int set_size(const struct p9_server *s, const struct p9_fid *f, uint64_t size)
{
	int fd, r;

	if (f->type == S_IFDIR)
		return -EISDIR;
	if (f->writable)
		return ftruncate(f->io_fd, (off_t)size) < 0 ? -errno : 0;
	fd = p9_host_reopen(s, f->path_fd, f->type, O_WRONLY);
	if (fd < 0)
		return fd;
	r = ftruncate(fd, (off_t)size) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int set_mode(const struct p9_server *s, const struct p9_fid *f, uint32_t mode)
{
	if (f->type == S_IFLNK)
		return -EOPNOTSUPP;
	/* fchmod() takes no O_PATH descriptor; its magic link leads to the inode. */
	return fchmodat(s->proc_fd, p9_host_proc_name(f->path_fd).text, mode & 01777, 0) < 0
		? -errno
		: 0;
}

int p9_op_setattr(struct p9_call *c)
{
	struct change to = {0};
	struct p9_fid *f;
	int r = p9_take_fid(c, &f);

	if (r == 0)
		r = take_change(c, &to);
	if (r == 0)
		r = check_owner(c->s, f, &to);
	if (r == 0 && (to.valid & P9_SETATTR_SIZE))
		r = set_size(c->s, f, to.size);
	if (r == 0 && (to.valid & P9_SETATTR_MODE))
		r = set_mode(c->s, f, to.mode);
	if (r == 0 && (to.valid & (P9_SETATTR_ATIME | P9_SETATTR_MTIME)) &&
		utimensat(f->path_fd, "", to.times, AT_EMPTY_PATH) < 0)
		r = -errno;
	return r;
}

int p9_op_statfs(struct p9_call *c)
{
	struct statfs st;
	struct p9_fid *f;
	int r = p9_take_fid(c, &f);

	if (r < 0)
		return r;
	if (fstatfs(f->path_fd, &st) < 0)
		return -errno;
	p9_put32(&c->out, (uint32_t)st.f_type);
	p9_put32(&c->out, (uint32_t)st.f_bsize);
	p9_put64(&c->out, st.f_blocks);
	p9_put64(&c->out, st.f_bfree);
	p9_put64(&c->out, st.f_bavail);
	p9_put64(&c->out, st.f_files);
	p9_put64(&c->out, st.f_ffree);
	p9_put64(&c->out, 0);
	p9_put32(&c->out, (uint32_t)st.f_namelen);
	return 0;
}
