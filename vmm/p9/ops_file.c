/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on open files: data goes between the host's page cache and the client's memory in one system call, without a copy here. */
#include "vmm/p9/server_impl.h"

#include "lib/util.h"
#include "vmm/virtio/chain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>

int p9_op_lopen(struct p9_call *c)
{
	struct p9_qid qid;
	struct p9_fid *f;
	struct stat st;
	uint32_t flags;
	int r = p9_take_fid(c, &f);

	if (r < 0)
		return r;
	flags = p9_get32(&c->in);
	if (c->in.bad || f->io_fd >= 0 || (flags & P9_OPEN_ACCMODE) == P9_OPEN_ACCMODE)
		return -EINVAL;
	if (c->s->read_only && (flags & (P9_OPEN_ACCMODE | P9_OPEN_TRUNC)))
		return -EROFS;
	r = p9_host_reopen(c->s, f->path_fd, f->type, p9_host_flags(flags));
	if (r < 0)
		return r;
	f->io_fd = r;
	f->writable = (flags & P9_OPEN_ACCMODE) != 0;
	f->synced = (flags & P9_OPEN_SYNC) != 0;
	f->dir_pos = 0;
	if (fstat(f->io_fd, &st) < 0)
		return -errno;
	qid = p9_host_qid(c->s, &st);
	p9_put_qid(&c->out, &qid);
	p9_put32(&c->out, 0);
	return 0;
}

/* fid and the fields of a transfer, checked: offset and count. */
static int take_transfer(
	struct p9_call *c, struct p9_fid **f, mode_t type, off_t *offset, uint32_t *count)
{
	int r = p9_take_fid(c, f);
	uint64_t at;

	if (r < 0)
		return r;
	at = p9_get64(&c->in);
	*count = p9_get32(&c->in);
	if (c->in.bad || at > INT64_MAX || (type == S_IFREG && *count > INT64_MAX - at))
		return -EINVAL;
	*offset = (off_t)at;
	if (type == S_IFREG && (*f)->xattr)
		return 0;
	if ((*f)->io_fd < 0)
		return -EBADF;
	if ((*f)->type != type)
		return type == S_IFDIR ? -ENOTDIR : -EISDIR;
	return 0;
}

/* A read that did not wait ends where the page cache does: only the file's end is one. */
static bool cut_short(const struct p9_fid *f, off_t offset, uint64_t got, uint64_t wanted)
{
	struct stat st;

	return got < wanted && (fstat(f->io_fd, &st) < 0 || offset + (off_t)got < st.st_size);
}

int p9_op_read(struct p9_call *c)
{
	bool now = c->s->haste != P9_WAITS;
	struct iovec v[P9_SEGMENTS_MAX];
	uint32_t count, most = c->room_bytes - P9_READ_HEAD;
	struct p9_fid *f;
	off_t offset;
	unsigned n;
	ssize_t got;
	int r = take_transfer(c, &f, S_IFREG, &offset, &count);

	if (r < 0)
		return r;
	if (f->xattr)
		return p9_xattr_read(c, f->xattr, (uint64_t)offset, count);
	n = iov_cut(v, iov_skip(c->room, c->nroom, P9_READ_HEAD, v), count < most ? count : most);
	got = preadv2(f->io_fd, v, (int)n, offset, now ? RWF_NOWAIT : 0);
	if (got < 0)
		return now ? -EAGAIN : -errno;
	if (now && cut_short(f, offset, (uint64_t)got, count < most ? count : most))
		return -EAGAIN;
	c->data_bytes = (uint32_t)got;
	p9_put32(&c->out, (uint32_t)got);
	return 0;
}

/* Not every file system knows RWF_NOWAIT for writes (ext4 does not). Who has nothing else to do then copies into the page cache by an ordinary
 * write, as long as that is memory of this machine and not to be synced. */
static ssize_t write_now(
	const struct p9_call *c, const struct p9_fid *f, const struct iovec *v, int n, off_t offset)
{
	ssize_t done = -1;

	if (!c->s->no_nowait_write) {
		done = pwritev2(f->io_fd, v, n, offset, RWF_NOWAIT);
		c->s->no_nowait_write = done < 0 && errno == EOPNOTSUPP;
	}
	if (c->s->no_nowait_write && c->s->haste == P9_SOON && c->s->local && !f->synced)
		return pwritev2(f->io_fd, v, n, offset, 0);
	return done < 0 ? -EAGAIN : done;
}

int p9_op_write(struct p9_call *c)
{
	struct iovec v[P9_SEGMENTS_MAX];
	struct p9_fid *f;
	uint32_t count;
	off_t offset;
	unsigned n;
	ssize_t done;
	int r = take_transfer(c, &f, S_IFREG, &offset, &count);

	if (r < 0)
		return r;
	if (f->xattr)
		return p9_xattr_write(c, f->xattr, (uint64_t)offset, count);
	if (count > c->body - (P9_WRITE_HEAD - P9_HEAD_BYTES))
		return -EINVAL;
	n = iov_cut(v, iov_skip(c->request, c->nrequest, P9_WRITE_HEAD, v), count);
	if (c->s->haste != P9_WAITS) {
		done = write_now(c, f, v, (int)n, offset);
		if (done == -EAGAIN)
			return -EAGAIN;
	} else {
		done = pwritev2(f->io_fd, v, (int)n, offset, 0);
	}
	if (done < 0)
		return -errno;
	p9_put32(&c->out, (uint32_t)done);
	return 0;
}

int p9_sync_file(int fd, bool data_only)
{
	return (data_only ? fdatasync(fd) : fsync(fd)) < 0 ? -errno : 0;
}

int p9_op_fsync(struct p9_call *c)
{
	struct p9_fid *f;
	uint32_t data_only;
	int r = p9_take_fid(c, &f);

	if (r < 0)
		return r;
	data_only = p9_get32(&c->in);
	if (c->in.bad)
		data_only = 0; /* older clients send none */
	if (f->io_fd < 0)
		return -EBADF;
	return p9_sync_file(f->io_fd, data_only);
}

/* As getdents64(2) gives it. */
struct record {
	uint64_t ino;
	int64_t off;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

/* Puts one name into the answer; false: no room. */
static bool put_entry(struct p9_out *out, const struct record *e)
{
	uint32_t len = (uint32_t)strlen(e->name);
	struct p9_qid qid = {.path = e->ino};

	if ((size_t)(out->end - out->at) < P9_QID_BYTES + 8 + 1 + 2 + len)
		return false;
	if (e->type == DT_DIR)
		qid.type = P9_QID_DIR;
	else if (e->type == DT_LNK)
		qid.type = P9_QID_SYMLINK;
	p9_put_qid(out, &qid);
	p9_put64(out, (uint64_t)e->off);
	p9_put8(out, e->type);
	p9_put_string(out, e->name, len);
	return true;
}

/* Fills the answer with names from where the descriptor stands. 1: the folder's end, 0: no more room, or -errno. */
static int list(struct p9_fid *f, struct p9_out *out)
{
	_Alignas(struct record) char buf[8192];
	bool any = false;

	for (;;) {
		long n = syscall(SYS_getdents64, f->io_fd, buf, sizeof(buf));

		if (n <= 0)
			return n < 0 ? -errno : 1;
		for (long at = 0; at < n;) {
			const struct record *e = (const struct record *)(const void *)(buf + at);

			if (!put_entry(out, e)) {
				f->dir_pos = -1; /* it stands behind what was told */
				return any ? 0 : -EINVAL;
			}
			any = true;
			f->dir_pos = e->off;
			at += e->bytes;
		}
	}
}

int p9_op_readdir(struct p9_call *c)
{
	uint32_t count, size;
	struct p9_fid *f;
	struct p9_out data;
	off_t offset;
	int r = take_transfer(c, &f, S_IFDIR, &offset, &count);

	if (r < 0)
		return r;
	if (f->dir_pos != offset && lseek(f->io_fd, offset, SEEK_SET) < 0)
		return -errno;
	f->dir_pos = offset;
	data = (struct p9_out){.at = c->out.at + 4, .end = c->out.end};
	if (c->out.end - c->out.at < 4)
		return -EMSGSIZE;
	if (count < data.end - data.at)
		data.end = data.at + count;
	r = list(f, &data);
	if (r < 0)
		return r;
	size = (uint32_t)(data.at - c->out.at) - 4;
	p9_put32(&c->out, size);
	c->out.at += size;
	return 0;
}

/* ---- locks: of the open file description, so that two instances (and programs of the host) see each other's */
static int take_lock(
	struct p9_call *c, struct p9_fid **f, bool with_flags, struct flock *l, uint8_t *type)
{
	static const short types[] = {
		[P9_LOCK_READ] = F_RDLCK, [P9_LOCK_WRITE] = F_WRLCK, [P9_LOCK_UNLOCK] = F_UNLCK};
	uint64_t start, length;
	int r = p9_take_fid(c, f);

	if (r < 0)
		return r;
	*type = p9_get8(&c->in);
	if (with_flags)
		p9_get32(&c->in);
	start = p9_get64(&c->in);
	length = p9_get64(&c->in);
	if (c->in.bad || *type >= ARRAY_SIZE(types) || start > INT64_MAX ||
		length > INT64_MAX - start)
		return -EINVAL;
	if ((*f)->io_fd < 0 || (*f)->type != S_IFREG)
		return -EBADF;
	*l = (struct flock){.l_type = types[*type],
		.l_whence = SEEK_SET,
		.l_start = (off_t)start,
		.l_len = (off_t)length};
	return 0;
}

/* What follows the range: whether it is a lock of flock(2), which knows nothing of those of fcntl(2). */
static bool is_flock(struct p9_call *c)
{
	char client[64];

	p9_get32(&c->in); /* whose it is there */
	p9_get_string(&c->in, client, sizeof(client) - 1);
	return !c->in.bad && strcmp(client, P9_LOCK_FLOCK) == 0;
}

static int set_lock(int fd, bool whole, const struct flock *l)
{
	int op = l->l_type == F_UNLCK ? LOCK_UN : l->l_type == F_RDLCK ? LOCK_SH : LOCK_EX;

	return whole ? flock(fd, op | LOCK_NB) : fcntl(fd, F_OFD_SETLK, l);
}

int p9_op_lock(struct p9_call *c)
{
	struct p9_fid *f;
	struct flock l;
	uint8_t type;
	int r = take_lock(c, &f, true, &l, &type);

	if (r < 0)
		return r;
	if (set_lock(f->io_fd, is_flock(c), &l) == 0)
		p9_put8(&c->out, P9_LOCK_SUCCESS);
	else if (errno == EAGAIN || errno == EACCES)
		p9_put8(&c->out, P9_LOCK_BLOCKED);
	else
		return -errno;
	return 0;
}

int p9_op_getlock(struct p9_call *c)
{
	struct p9_fid *f;
	struct flock l;
	uint8_t type;
	int r = take_lock(c, &f, false, &l, &type);

	if (r < 0)
		return r;
	if (type == P9_LOCK_UNLOCK)
		return -EINVAL;
	if (fcntl(f->io_fd, F_OFD_GETLK, &l) < 0)
		return -errno;
	p9_put8(&c->out,
		l.l_type == F_RDLCK           ? P9_LOCK_READ
			: l.l_type == F_WRLCK ? P9_LOCK_WRITE
					      : P9_LOCK_UNLOCK);
	p9_put64(&c->out, (uint64_t)l.l_start);
	p9_put64(&c->out, (uint64_t)l.l_len);
	p9_put32(&c->out, 0); /* whose it is stays on this side */
	p9_put_string(&c->out, "", 0);
	return 0;
}
