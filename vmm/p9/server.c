/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/p9/server.h"

#include "lib/err.h"
#include "lib/util.h"
#include "vmm/p9/server_impl.h"
#include "vmm/virtio/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>

int p9_take_fid(struct p9_call *c, struct p9_fid **f)
{
	uint32_t id = p9_get32(&c->in);

	if (c->in.bad)
		return -EINVAL;
	*f = p9_fid_find(&c->s->fids, id);
	return *f ? 0 : -EBADF;
}

int p9_take_dir_name(struct p9_call *c, struct p9_fid **dir, char name[P9_NAME_MAX + 1])
{
	int r = p9_take_fid(c, dir);

	if (r == 0)
		r = p9_get_name(&c->in, name);
	if (r == 0 && (*dir)->type != S_IFDIR)
		r = -ENOTDIR;
	return r;
}

static int op_version(struct p9_call *c)
{
	char version[32];
	uint32_t msize = p9_get32(&c->in);

	p9_get_string(&c->in, version, sizeof(version) - 1);
	if (c->in.bad || msize < P9_MSIZE_MIN)
		return -EINVAL;
	p9_fids_clear(&c->s->fids);
	c->s->msize = 0;
	if (strcmp(version, P9_VERSION) == 0)
		c->s->msize = msize < P9_MSIZE_MAX ? msize : P9_MSIZE_MAX;
	else
		strcpy(version, "unknown");
	p9_put32(&c->out, msize < P9_MSIZE_MAX ? msize : P9_MSIZE_MAX);
	p9_put_string(&c->out, version, (uint32_t)strlen(version));
	return 0;
}

static int op_attach(struct p9_call *c)
{
	uint32_t fid = p9_get32(&c->in), afid = p9_get32(&c->in);
	struct p9_qid qid;
	struct stat st;
	char text[256];
	int fd, r;

	p9_get_string(&c->in, text, sizeof(text) - 1);
	p9_get_string(&c->in, text, sizeof(text) - 1);
	if (c->in.bad || afid != P9_NOFID)
		return -EINVAL;
	if (fstat(c->s->root_fd, &st) < 0)
		return -errno;
	fd = fcntl(c->s->root_fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = p9_fid_add(&c->s->fids, fid, fd, S_IFDIR);
	if (r < 0)
		return r;
	qid = p9_host_qid(c->s, &st);
	p9_put_qid(&c->out, &qid);
	return 0;
}

/* The last descriptor of a file without a name frees its blocks, and attributes are set by who may: those wait. */
static bool clunk_waits(const struct p9_call *c, const struct p9_fid *f)
{
	struct stat st;

	return c->s->haste != P9_WAITS &&
		(f->xattr || fstat(f->path_fd, &st) < 0 || st.st_nlink == 0);
}

static int op_clunk(struct p9_call *c)
{
	struct p9_fid *f;
	int r = p9_take_fid(c, &f);

	if (r < 0)
		return r;
	if (clunk_waits(c, f))
		return -EAGAIN;
	r = f->xattr ? p9_xattr_commit(c->s, f) : 0;
	p9_fid_remove(&c->s->fids, f);
	return r;
}

/* Requests are done in order: what is to be flushed has been answered. */
static int op_flush(struct p9_call *c)
{
	p9_get16(&c->in);
	return c->in.bad ? -EINVAL : 0;
}

static int op_none(struct p9_call *c)
{
	(void)c;
	return -EOPNOTSUPP;
}

/* By type / 2. `changes`: refused on a read-only volume. */
static const struct {
	p9_op *fn;
	bool changes;
} ops[128] = {
	[P9_TSTATFS / 2] = {p9_op_statfs, false},
	[P9_TLOPEN / 2] = {p9_op_lopen, false}, /* it looks at the flags itself */
	[P9_TLCREATE / 2] = {p9_op_lcreate, true},
	[P9_TSYMLINK / 2] = {p9_op_symlink, true},
	[P9_TMKNOD / 2] = {p9_op_mknod, true},
	[P9_TRENAME / 2] = {p9_op_rename, true},
	[P9_TREADLINK / 2] = {p9_op_readlink, false},
	[P9_TGETATTR / 2] = {p9_op_getattr, false},
	[P9_TSETATTR / 2] = {p9_op_setattr, true},
	[P9_TXATTRWALK / 2] = {p9_op_xattrwalk, false},
	[P9_TXATTRCREATE / 2] = {p9_op_xattrcreate, true},
	[P9_TREADDIR / 2] = {p9_op_readdir, false},
	[P9_TFSYNC / 2] = {p9_op_fsync, false},
	[P9_TLOCK / 2] = {p9_op_lock, false},
	[P9_TGETLOCK / 2] = {p9_op_getlock, false},
	[P9_TLINK / 2] = {p9_op_link, true},
	[P9_TMKDIR / 2] = {p9_op_mkdir, true},
	[P9_TRENAMEAT / 2] = {p9_op_renameat, true},
	[P9_TUNLINKAT / 2] = {p9_op_unlinkat, true},
	[P9_TVERSION / 2] = {op_version, false},
	[P9_TAUTH / 2] = {op_none, false},
	[P9_TATTACH / 2] = {op_attach, false},
	[P9_TFLUSH / 2] = {op_flush, false},
	[P9_TWALK / 2] = {p9_op_walk, false},
	[P9_TREAD / 2] = {p9_op_read, false},
	[P9_TWRITE / 2] = {p9_op_write, true},
	[P9_TCLUNK / 2] = {op_clunk, false},
	[P9_TREMOVE / 2] = {p9_op_remove, true},
};

static int dispatch(struct p9_call *c, uint8_t type)
{
	p9_op *fn = type % 2 == 0 ? ops[type / 2].fn : NULL;

	if (!fn)
		return -EOPNOTSUPP;
	if (!c->s->msize && type != P9_TVERSION)
		return -EINVAL;
	if (c->s->read_only && ops[type / 2].changes) {
		/* Remove clunks its fid in any case (remove(5)). */
		if (type == P9_TREMOVE)
			op_clunk(c);
		return -EROFS;
	}
	return fn(c);
}

static uint64_t total_of(const struct iovec *v, unsigned n)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < n; i++)
		total += v[i].iov_len;
	return total;
}

/* Between a list and a buffer; bytes moved. */
static size_t gather(const struct iovec *v, unsigned n, uint8_t *to, size_t max)
{
	size_t at = 0;

	for (unsigned i = 0; i < n && at < max; i++) {
		size_t part = v[i].iov_len < max - at ? v[i].iov_len : max - at;

		memcpy(to + at, v[i].iov_base, part);
		at += part;
	}
	return at;
}

static void scatter(const struct iovec *v, unsigned n, const uint8_t *from, size_t bytes)
{
	for (unsigned i = 0; i < n && bytes > 0; i++) {
		size_t part = v[i].iov_len < bytes ? v[i].iov_len : bytes;

		memcpy(v[i].iov_base, from, part);
		from += part;
		bytes -= part;
	}
}

/* The message's head against what there is. The fields of a write lie in front of its data, so all else must fit `request`. */
static int check_size(const struct p9_server *s, uint8_t type, uint32_t size, uint64_t there)
{
	if (size < P9_HEAD_BYTES || size > there || size > (s->msize ? s->msize : P9_MSIZE_MIN))
		return -EINVAL;
	return type != P9_TWRITE && size > P9_REQUEST_MAX ? -EINVAL : 0;
}

/* Types that may be tried without waiting. */
static bool may_be_now(const struct p9_server *s, uint8_t type)
{
	return type == P9_TREAD || type == P9_TWRITE ||
		(s->local && (type == P9_TGETATTR || type == P9_TCLUNK));
}

static void put_head(struct p9_out *out, uint32_t bytes, uint8_t type, uint16_t tag)
{
	p9_put32(out, bytes);
	p9_put8(out, type);
	p9_put16(out, tag);
}

ssize_t p9_server_serve(struct p9_server *s, const struct iovec *in, unsigned nin,
	const struct iovec *out, unsigned nout)
{
	uint64_t there = total_of(in, nin), room = total_of(out, nout);
	struct p9_call c = {.s = s, .request = in, .nrequest = nin, .room = out, .nroom = nout};
	size_t n = gather(in, nin, s->request, sizeof(s->request));
	struct p9_out head = {.at = s->answer, .end = s->answer + P9_HEAD_BYTES};
	uint32_t size, body, max = s->msize ? s->msize : P9_MSIZE_MIN;
	uint16_t tag;
	uint8_t type;
	int r;

	if (n < P9_HEAD_BYTES || room < P9_ERROR_BYTES || nin > P9_SEGMENTS_MAX ||
		nout > P9_SEGMENTS_MAX)
		return -EPROTO;
	c.in = (struct p9_in){.at = s->request, .end = s->request + n};
	size = p9_get32(&c.in);
	type = p9_get8(&c.in);
	tag = p9_get16(&c.in);
	r = check_size(s, type, size, there);
	if (r == 0 && size < n)
		c.in.end = s->request + size;
	c.body = size - P9_HEAD_BYTES;
	c.room_bytes = room < max ? (uint32_t)room : max;
	body = c.room_bytes < sizeof(s->answer) ? c.room_bytes : sizeof(s->answer);
	c.out = (struct p9_out){.at = s->answer + P9_HEAD_BYTES, .end = s->answer + body};
	if (r == 0 && s->haste != P9_WAITS && !may_be_now(s, type))
		return -EAGAIN; /* it has been changed since it was looked at */
	if (r == 0)
		r = dispatch(&c, type);
	if (r == -EAGAIN && s->haste != P9_WAITS)
		return r;
	if (r == 0 && c.out.full)
		r = -EMSGSIZE;
	if (r < 0) {
		type = P9_RLERROR - 1;
		c.data_bytes = 0;
		c.out = (struct p9_out){
			.at = s->answer + P9_HEAD_BYTES, .end = s->answer + P9_ERROR_BYTES};
		p9_put32(&c.out, (uint32_t)-r);
	}
	body = (uint32_t)(c.out.at - s->answer);
	put_head(&head, body + c.data_bytes, (uint8_t)(type + 1), tag);
	scatter(out, nout, s->answer, body);
	return (ssize_t)body + c.data_bytes;
}

ssize_t p9_server_serve_now(struct p9_server *s, const struct iovec *in, unsigned nin,
	const struct iovec *out, unsigned nout, enum p9_haste haste)
{
	uint8_t head[P9_HEAD_BYTES];
	ssize_t r;

	if (gather(in, nin, head, sizeof(head)) < sizeof(head) || !may_be_now(s, head[4]))
		return -EAGAIN;
	s->haste = haste;
	r = p9_server_serve(s, in, nin, out, nout);
	s->haste = P9_WAITS;
	return r;
}

int p9_server_sync_begin(struct p9_server *s, const struct iovec *in, unsigned nin,
	const struct iovec *out, unsigned nout, struct p9_sync *sync)
{
	uint8_t text[P9_HEAD_BYTES + 8];
	struct p9_in m = {.at = text, .end = text + sizeof(text)};
	uint32_t size;
	struct p9_fid *f;

	if (!s->msize || gather(in, nin, text, sizeof(text)) < sizeof(text) ||
		total_of(out, nout) < P9_ERROR_BYTES)
		return -EAGAIN;
	size = p9_get32(&m);
	if (p9_get8(&m) != P9_TFSYNC || size != sizeof(text))
		return -EAGAIN;
	sync->tag = p9_get16(&m);
	f = p9_fid_find(&s->fids, p9_get32(&m));
	sync->data_only = p9_get32(&m) != 0;
	if (s->read_only || !f || f->io_fd < 0)
		return -EAGAIN;
	sync->fd = dup(f->io_fd);
	return sync->fd < 0 ? -EAGAIN : 0;
}

ssize_t p9_server_sync_end(struct p9_sync *sync, const struct iovec *out, unsigned nout)
{
	uint8_t text[P9_ERROR_BYTES];
	struct p9_out m = {.at = text, .end = text + sizeof(text)};
	int r = p9_sync_file(sync->fd, sync->data_only);
	uint32_t bytes = r < 0 ? P9_ERROR_BYTES : P9_HEAD_BYTES;

	close(sync->fd);
	put_head(&m, bytes, r < 0 ? P9_RLERROR : P9_TFSYNC + 1, sync->tag);
	if (r < 0)
		p9_put32(&m, (uint32_t)-r);
	scatter(out, nout, text, bytes);
	return (ssize_t)bytes;
}

bool p9_server_is_quick(const struct p9_server *s, const struct iovec *in, unsigned nin)
{
	uint8_t head[P9_HEAD_BYTES];

	if (!s->local || gather(in, nin, head, sizeof(head)) < sizeof(head))
		return false;
	switch (head[4]) {
	case P9_TWALK:
	case P9_TLOPEN:
	case P9_TGETATTR:
	case P9_TWRITE:
	case P9_TMKNOD:
	case P9_TRENAMEAT:
	case P9_TCLUNK:
		return true;
	default:
		return false;
	}
}

unsigned p9_server_fids(const struct p9_server *s)
{
	return s->fids.count;
}

void p9_server_set_owner(struct p9_server *s)
{
	s->uid = geteuid();
	s->gid = getegid();
}

/* File systems whose fstat() is answered from memory. */
static bool is_local(int fd)
{
	static const long types[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
		TMPFS_MAGIC, OVERLAYFS_SUPER_MAGIC, F2FS_SUPER_MAGIC};
	struct statfs st;

	for (unsigned i = 0; fstatfs(fd, &st) == 0 && i < ARRAY_SIZE(types); i++) {
		if (st.f_type == types[i])
			return true;
	}
	return false;
}

/* root_fd may be any descriptor of a folder; what is kept is O_PATH, so that nothing is read by accident. */
static int set_up(struct p9_server *s, int dir_fd, struct err *err)
{
	struct stat st;

	s->proc_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->proc_fd < 0)
		return err_sys(err, errno, "/proc/self/fd");
	s->root_fd = openat(dir_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->root_fd < 0 || fstat(s->root_fd, &st) < 0)
		return err_sys(err, errno, "folder of a volume");
	s->root_dev = st.st_dev;
	s->local = is_local(s->root_fd);
	p9_server_set_owner(s);
	return 0;
}

int p9_server_new(int dir_fd, bool read_only, struct p9_server **server, struct err *err)
{
	struct p9_server *s = calloc(1, sizeof(*s));
	int r;

	if (!s) {
		close(dir_fd);
		return err_set(err, ENOMEM, "out of memory");
	}
	s->root_fd = s->proc_fd = -1;
	s->read_only = read_only;
	r = set_up(s, dir_fd, err);
	close(dir_fd);
	if (r < 0)
		p9_server_free(s);
	else
		*server = s;
	return r;
}

void p9_server_free(struct p9_server *s)
{
	if (!s)
		return;
	p9_fids_clear(&s->fids);
	if (s->root_fd >= 0)
		close(s->root_fd);
	if (s->proc_fd >= 0)
		close(s->proc_fd);
	free(s);
}
