/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes and dentries, for the files of fs/ only. A dentry is a name in a directory, an inode is what it names. Each dentry holds
 * a reference to its parent, so that the way up always exists. Names that a file system keeps itself (tmpfs, whiteouts, mount points)
 * are pinned by one reference; all others (names of the image, of /proc) live as long as somebody uses them and are looked up anew later.
 *
 *   dentry_find --hit--> dentry          dentry_put: last reference: unhashed, freed, parent put
 *        \--miss--> inode_ops.lookup --> dentry_new (hashed)
 */
#ifndef LIBOS_FS_INODE_H
#define LIBOS_FS_INODE_H

#include "libos/fs/vfs.h"
#include "libos/klib/list.h"
#include "libos/uapi/fs.h"

struct inode;
struct dentry;

struct super {
	const char *type; /* as /proc/mounts shows it */
	uint64_t dev;     /* st_dev */
	uint64_t magic;   /* statfs f_type */
	bool enoent;      /* creating names answers ENOENT (procfs), else EACCES or EPERM */
	struct dentry *root;
	uint64_t pages, pages_max; /* data frames in use, and the limit */
	uint64_t inodes, inodes_max;
	uint64_t next_ino;
	bool xattrs; /* inodes may have extended attributes (xattr.c) */
	bool read_only; /* as /proc/mounts and statfs show it; the file system's own functions refuse */
	int (*statfs)(
		struct super *sb, struct statfs *st); /* corrects what is filled in; may be NULL */
	/* Sends what mappings have written to where it is kept; alone: no other thread runs meanwhile. May be NULL. */
	int (*sync_all)(struct super *sb, bool alone);
};

/* What is to be changed of an inode. */
struct iattr {
	unsigned valid; /* ATTR_ */
	uint32_t mode, uid, gid;
	uint64_t size, atime_ns, mtime_ns;
};
#define ATTR_MODE  1u
#define ATTR_UID   2u
#define ATTR_GID   4u
#define ATTR_SIZE  8u
#define ATTR_ATIME 16u
#define ATTR_MTIME 32u

/* A lock that others than this instance may see. */
struct outer_lock {
	enum {
		LOCK_PROCESS,
		LOCK_FILE,
		LOCK_WHOLE
	} whose;      /* fcntl's, of the process or of the file; flock's */
	bool test;    /* only asks; what stands in the way is filled in */
	int16_t type; /* F_RDLCK, F_WRLCK, F_UNLCK */
	int64_t start, last;
};

struct inode_ops {
	/* The name's inode with a reference, or -ENOENT. *lower: the name comes from the image. */
	int (*lookup)(struct inode *dir, const char *name, unsigned len, struct inode **inode,
		bool *lower);
	/* Does a name that is in memory still name what it did? Asked before it is used; NULL: always. */
	bool (*still_there)(struct dentry *dentry);
	/* Makes an inode of this mode below dir and its name; link: text of a symbolic link. Dentry with a reference. */
	int (*create)(struct dentry *dir, const char *name, unsigned len, uint32_t mode,
		uint64_t rdev, const char *link, struct dentry **dentry);
	int (*link)(struct dentry *dir, const char *name, unsigned len, struct inode *inode);
	/* Removes the name; the directory is known to be empty, if it is one. */
	int (*unlink)(struct dentry *dentry);
	bool (*empty)(struct dentry *dir);
	/* Moves from to dir/name, over target if there is one (then it is removed); exchange: target takes from's place. */
	int (*rename)(struct dentry *from, struct dentry *dir, const char *name, unsigned len,
		struct dentry *target, bool exchange);
	/* A nameless file (O_TMPFILE, memfd). */
	int (*tmpfile)(struct super *sb, uint32_t mode, struct inode **inode);
	/* Text of a symbolic link, not NUL-terminated: at most size bytes into buf; its whole length or -errno. */
	long (*readlink)(struct inode *inode, char *buf, size_t size);
	/* Links that lead to an object, not to a path (/proc/self/fd/N): dentry with a reference. */
	int (*jump)(struct inode *inode, struct dentry **dentry);
	/* Chooses f->ops and f->priv; may block (fifos). */
	int (*open)(struct inode *inode, struct file *f);
	/* Takes a lock, or gives it back, where others meet it too: 0, -EAGAIN (somebody has it), or another -errno. May block, but not
	 * until the lock is free. NULL: there are no others. What a file has goes with its last reference; outer_unlock: what the
	 * process has on the inode goes; does not block. */
	int (*outer_lock)(struct file *f, struct outer_lock *l);
	void (*outer_unlock)(struct inode *inode);
	int (*truncate)(struct inode *inode, uint64_t size);
	int (*fallocate)(struct inode *inode, unsigned mode, uint64_t off, uint64_t len);
	/* Changes mode, owner or times where the inode is kept elsewhere; NULL: they are changed in the inode, behind touch(). */
	int (*setattr)(struct inode *inode, const struct iattr *to);
	/* Extended attributes (user.*) that are kept elsewhere than in the inode. get: the value in memory that the caller frees; name "": all
	 * names. set: value NULL removes it. Both may block. NULL: xattr.c keeps them, where super.xattrs says so. */
	int (*xattr_get)(struct inode *inode, const char *name, char **value, size_t *size);
	int (*xattr_set)(
		struct inode *inode, const char *name, char *value, size_t size, unsigned flags);
	/* Mode, owner or times are about to be changed: keep this inode from now on. 0, or -EROFS and the like. */
	int (*touch)(struct inode *inode);
	void (*stat)(struct inode *inode,
		struct kstat *st); /* corrects what inode_stat() filled in; may be NULL */
	/* The file was read: its time of that is kept here. NULL: elsewhere, or not at all. */
	void (*accessed)(struct inode *inode);
	void (*release)(struct inode *inode); /* last reference gone: frees it */
};

struct inode {
	const struct inode_ops *ops;
	struct super *sb;
	uint64_t ino;
	uint32_t mode, nlink, uid, gid;
	uint64_t rdev, size;
	uint64_t atime_ns, mtime_ns, ctime_ns;
	uint64_t btime_ns; /* 0: not known */
	unsigned refs;
	uint8_t seals;         /* F_SEAL_, memfd only */
	bool owned;            /* its owner and group were set here: perm.c goes by them */
	bool linkable;         /* nameless by birth (O_TMPFILE): link(2) may name it */
	void *bound;           /* struct pipe of a fifo, owner of a socket node */
	struct watch *watches; /* inotify.c */
	struct xattr *xattrs;  /* xattr.c */
	struct list flocks;    /* of struct flock_lock (locks.c) */
	struct list ranges;    /* of struct range_lock (range_locks.c) */
};

#define D_HASHED 1u
#define D_PINNED 2u
#define D_LOWER  4u /* the name is the image's own: enumerated there */

struct dentry {
	struct dentry *parent; /* with a reference; itself at a root or without a place */
	struct inode *inode;   /* with a reference; NULL: whiteout, the name does not exist */
	struct dentry *hash_next;
	struct dentry *mounted; /* root of the file system mounted here */
	struct dentry *covers;  /* of such a root: the dentry that it covers */
	unsigned refs;
	uint32_t hash;
	uint32_t slot; /* place in its directory (memfs), + 1; 0: none */
	uint8_t flags;
	uint8_t len;
	char *name;
	char small[28]; /* name, when it fits */
};

/* ---- inode.c */
void inode_init(struct inode *inode, const struct inode_ops *ops, struct super *sb, uint32_t mode);
static inline struct inode *inode_get(struct inode *inode)
{
	inode->refs++;
	return inode;
}
void inode_put(struct inode *inode); /* NULL is fine */
void inode_stat(struct inode *inode, struct kstat *st);
static inline bool inode_is(const struct inode *inode, uint32_t type)
{
	return (inode->mode & S_IFMT) == type;
}
/* It was read: as with relatime, only the first time after each change, and once a day, is kept. */
void inode_read(struct inode *inode);
void inode_changed(struct inode *inode);  /* ctime */
void inode_modified(struct inode *inode); /* mtime and ctime */
uint64_t dev_make(uint32_t major, uint32_t minor);
uint32_t dev_major(uint64_t dev);
uint32_t dev_minor(uint64_t dev);
/* A device number for a new super. */
uint64_t dev_new(void);

/* ---- dcache.c */
static inline struct dentry *dentry_get(struct dentry *d)
{
	d->refs++;
	return d;
}
void dentry_put(struct dentry *d); /* NULL is fine */
/* The hashed dentry of that name, with a reference, or NULL. It may be a whiteout. */
struct dentry *dentry_find(struct dentry *parent, const char *name, unsigned len);
/* A dentry with one reference, hashed below parent (NULL: without a place). Takes a reference of its own to inode. NULL: no memory. */
struct dentry *dentry_new(
	struct dentry *parent, const char *name, unsigned len, struct inode *inode);
/* Room for a name that is to be given later by dentry_move(); *heap NULL when none is needed. */
int dentry_name_alloc(unsigned len, char **heap);
void dentry_hash(struct dentry *d);
void dentry_unhash(struct dentry *d);
/* Gives d another place: parent and name; d must be unhashed, and is hashed then. heap: from dentry_name_alloc(). */
void dentry_move(
	struct dentry *d, struct dentry *parent, const char *name, unsigned len, char *heap);
/* Swaps the places of two hashed dentries. */
void dentry_swap(struct dentry *a, struct dentry *b);
void dentry_pin(struct dentry *d);
void dentry_unpin(struct dentry *d);
/* True when d is anc or lies below it (mounts are crossed). */
bool dentry_below(struct dentry *d, struct dentry *anc);
/* The absolute path into buf (NUL-terminated, -ENAMETOOLONG when it does not fit); its length. *deleted: it has no place any more. */
long dentry_path(struct dentry *d, char *buf, size_t size, bool *deleted);

/* ---- namei.c */
#define WALK_FOLLOW     1u  /* follow a symbolic link at the end */
#define WALK_PARENT     2u  /* stop before the last name */
#define WALK_EMPTY      4u  /* "" is the start itself (AT_EMPTY_PATH) */
#define WALK_NO_SYMLINK 8u  /* RESOLVE_NO_SYMLINKS: -ELOOP at any */
#define WALK_NO_MAGIC   16u /* RESOLVE_NO_MAGICLINKS */
#define WALK_BENEATH    32u /* RESOLVE_BENEATH: -EXDEV when the start is left */
#define WALK_IN_ROOT    64u /* RESOLVE_IN_ROOT */
#define WALK_NO_XDEV    128u
#define WALK_DIRECTORY  256u
#define WALK_REAL       512u /* directories are searched as the real user (access(2)) */

enum last_type { LAST_NAME, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

struct walk {
	/* in */
	int dirfd;
	unsigned flags;
	/* out; walk_done() gives it back */
	struct dentry *parent; /* with WALK_PARENT: directory of the last name */
	struct dentry *
		dentry; /* the end; with WALK_PARENT: as looked up, NULL or negative: no such name */
	enum last_type last_type;
	bool slash; /* the path ended with / */
	unsigned len;
	char last[NAME_MAX + 1];
	/* inside */
	struct dentry *start;
	unsigned links;
	char *text; /* kmalloc'ed */
};
/* Walks path from dirfd. With WALK_PARENT success means that the parent was found. 0 or -errno, then nothing is held. */
int walk(struct walk *w, int dirfd, const char *path, unsigned flags);
void walk_done(struct walk *w);
/* Follows the symbolic link that w->dentry is, which WALK_PARENT found: w is then at the link's last name. */
int walk_follow_last(struct walk *w);

/* A path of the program, held in a buffer: "" is -ENOENT unless empty_ok. */
struct upath {
	char *text;
	char fast[128];
};
int upath_get(struct upath *p, uptr_t user, bool empty_ok);
void upath_put(struct upath *p);

/* All: dentry with a reference. */
int walk_user(int dirfd, uptr_t path, unsigned flags, struct dentry **dentry);
int walk_kernel(const char *path, unsigned flags, struct dentry **dentry);
/* Where chdir(2) and chroot(2) lead: a directory that may be searched. */
int walk_to_folder(uptr_t path, struct dentry **dentry);

extern struct dentry *vfs_root, *vfs_cwd;
extern unsigned vfs_umask;
extern bool vfs_program_runs; /* files made from now on are the program's own (perm.c) */

/* ---- open.c */
/* Opens what a dentry names. */
int dentry_open(struct dentry *d, unsigned flags, struct file **file);
/* The same without a look at permissions: what was just made, and what the libOS opens for itself. */
int dentry_open_made(struct dentry *d, unsigned flags, struct file **file);
int vfs_open_at(int dirfd, const char *path, unsigned flags, unsigned mode, unsigned walk_flags,
	struct file **file);
/* Makes a node (regular, fifo, socket, device); the dentry with a reference, if wanted. */
int vfs_mknod(int dirfd, const char *path, uint32_t mode, uint64_t rdev, struct dentry **dentry);
int vfs_mkdir(int dirfd, const char *path, uint32_t mode);
int vfs_truncate(struct inode *inode, uint64_t size);
/* May a regular file get this size (RLIMIT_FSIZE)? 0, or -EFBIG, and SIGXFSZ is sent. rw.c. */
int size_allowed(const struct inode *inode, uint64_t size);

/* ---- the file systems */
/* tmpfs; with an image also what lies below it (erofs.h). pages_max: limit of data, in frames. */
int memfs_new(const char *type, const void *image, uint64_t image_bytes, uint64_t pages_max,
	struct super **sb);
/* A file of a tmpfs that is mounted nowhere; name: as /proc/self/maps shows it. Open for reading and writing. */
int memfs_nameless(const char *name, struct file **file);
int procfs_new(struct super **sb);
int sysfs_new(struct super **sb);
int devfs_new(struct super **sb);
/* Mounts sb at the directory d. 0 or -ENOSPC. */
int vfs_mount(struct super *sb, struct dentry *d);
/* Every mount, in order: calls fn(path, sb, arg). */
void vfs_each_mount(void (*fn)(const char *path, struct super *sb, void *arg), void *arg);

/* Opening of device nodes (devfs.c) and fifos (pipe.c). */
int chrdev_open(struct inode *inode, struct file *f);
int blkdev_open(struct inode *inode, struct file *f); /* blkdev.c */
/* The node of the n-th block device: its name (vda, ...) and number; false: there is none. */
bool blkdev_node(unsigned n, char name[4], uint64_t *rdev);
int fifo_open(struct inode *inode, struct file *f);
void fifo_forget(struct inode *inode); /* the inode goes away */

/* Directory files of any file system: fill is called with positions; see dir.c. */
struct dir_sink;
/* Adds one entry; false: the buffer is full. next: the position (d_off) behind it. */
bool dir_emit(struct dir_sink *sink, const char *name, unsigned len, uint64_t ino, unsigned type,
	uint64_t next);
#define DIR_POS_FIRST 2u /* positions 0 and 1 are . and .. */
typedef int dir_fill_fn(struct file *f, uint64_t pos, struct dir_sink *sink);
/* Emits . and .. and the fill function's entries; for file_ops.getdents. */
long dir_getdents(struct file *f, uptr_t buf, size_t size, dir_fill_fn *fill);
/* The same for file systems that have entries for . and .. themselves: positions are theirs, 0 is the start. */
long dir_getdents_raw(struct file *f, uptr_t buf, size_t size, dir_fill_fn *fill);
uint64_t dir_parent_ino(struct dentry *d);
long dir_seek(struct file *f, int64_t off, int whence);
long dir_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock);
static inline unsigned dir_type(uint32_t mode)
{
	return (mode & S_IFMT) >> 12;
}
/* lseek for files without positions that accept it all the same (devices): 0. */
long file_seek_none(struct file *f, int64_t off, int whence);
/* The same for files that are streams (eventfd and its kind): pread and pwrite are refused. */
long file_seek_stream(struct file *f, int64_t off, int whence);
/* lseek for files with a size. */
long file_seek_size(struct file *f, int64_t off, int whence, uint64_t size);

/* ---- xattr.c: the inode goes away */
void xattr_free(struct inode *inode);

/* ---- locks.c, range_locks.c: the last reference to f, which has an inode, is gone */
void flock_release(struct file *f);
void ofd_release(struct file *f);

/* ---- epoll.c: the last reference to f is gone */
void epoll_forget(struct file *f);

/* May contents be copied from in to out? 0, or what copy_file_range(2) says of kinds first, then of the ways they are open. */
int range_files(const struct file *in, const struct file *out);

#endif
