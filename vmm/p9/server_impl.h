/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the 9P server share: the session, a call under way, and the operations by family. */
#ifndef VMM_P9_SERVER_IMPL_H
#define VMM_P9_SERVER_IMPL_H

#include "vmm/p9/fid.h"
#include "vmm/p9/msg.h"
#include "vmm/p9/server.h"

#include <sys/stat.h>

/* The longest request that is not a write: Twalk with all its names, Tsymlink with a target of PATH_MAX. */
#define P9_REQUEST_MAX 8192u
/* The longest answer that is not a read; a listing is cut to it. */
#define P9_ANSWER_MAX 32768u

struct p9_server {
	int root_fd; /* owned, O_PATH */
	int proc_fd; /* owned: /proc/self/fd, where O_PATH descriptors are opened anew */
	bool read_only;
	enum p9_haste haste;  /* of the request under way */
	bool local;           /* attributes are in memory: no network or daemon is asked */
	bool no_nowait_write; /* the file system has said that it can not */
	dev_t root_dev;
	uid_t uid; /* whom the client sees as 0 */
	gid_t gid;
	uint32_t msize; /* agreed; 0: no session yet */
	struct p9_fids fids;
	uint8_t request[P9_REQUEST_MAX];
	uint8_t answer[P9_ANSWER_MAX];
};

struct p9_call {
	struct p9_server *s;
	struct p9_in in;   /* the message behind its head */
	struct p9_out out; /* the answer behind its head */
	uint32_t body;     /* bytes of the message behind its head, data of a write included */
	const struct iovec *request, *room; /* all of them, for data that is not copied */
	unsigned nrequest, nroom;
	uint32_t room_bytes; /* for the answer: at most msize */
	uint32_t data_bytes; /* a read has put so many into room, behind P9_READ_HEAD */
};

/* 0, or -errno that the client gets to see. */
typedef int p9_op(struct p9_call *c);

p9_op p9_op_walk, p9_op_lcreate, p9_op_symlink, p9_op_mknod, p9_op_rename, p9_op_readlink,
	p9_op_link, p9_op_mkdir, p9_op_renameat, p9_op_unlinkat, p9_op_remove;
p9_op p9_op_lopen, p9_op_read, p9_op_write, p9_op_fsync, p9_op_readdir, p9_op_lock, p9_op_getlock;
p9_op p9_op_xattrwalk, p9_op_xattrcreate;
p9_op p9_op_getattr, p9_op_setattr, p9_op_statfs;

/* The next field of the message as a fid. 0, -EINVAL (a bad message) or -EBADF. */
int p9_take_fid(struct p9_call *c, struct p9_fid **f);
/* Two fields: a folder's fid and a name. */
int p9_take_dir_name(struct p9_call *c, struct p9_fid **dir, char name[P9_NAME_MAX + 1]);

/* Waits for the disk. 0 or -errno. Any thread. */
int p9_sync_file(int fd, bool data_only);

/* ---- ops_xattr.c: what a fid that stands for an extended attribute does otherwise */
int p9_xattr_read(struct p9_call *c, const struct p9_xattr *x, uint64_t offset, uint32_t count);
int p9_xattr_write(struct p9_call *c, struct p9_xattr *x, uint64_t offset, uint32_t count);
/* Clunk of such a fid: sets what was written. */
int p9_xattr_commit(const struct p9_server *s, const struct p9_fid *f);
void p9_xattr_free(struct p9_xattr *x); /* NULL is fine */

/* ---- host.c */
/* An O_PATH descriptor of a name in a folder, or -errno. */
int p9_host_child(int dir_fd, const char *name, struct stat *st);
/* The file of an O_PATH descriptor, opened for data: regular files and folders only. */
int p9_host_reopen(const struct p9_server *s, int path_fd, mode_t type, int flags);
/* Its name below proc_fd. */
struct p9_proc_name {
	char text[16];
};
struct p9_proc_name p9_host_proc_name(int path_fd);
struct p9_qid p9_host_qid(const struct p9_server *s, const struct stat *st);
/* Flags of open(2) that a client may ask for, from P9_OPEN_. */
int p9_host_flags(uint32_t flags);

#endif
