/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files and descriptors. A struct file is an open file description (shared by dup); the operations table says what it
 * is. All data goes through the program's addresses (uptr_t) or libOS memory by struct iter, so that each file type is written once.
 */
#ifndef LIBOS_FS_FILE_H
#define LIBOS_FS_FILE_H

#include "libos/klib/list.h"
#include "libos/mem/uaccess.h"

#include <stdbool.h>
#include <stdint.h>

struct file;
struct dentry; /* libos/fs/inode.h */
struct inode;  /* libos/fs/vfs.h */
struct kstat;  /* libos/fs/vfs.h */

/* ---- where data comes from or goes to: iovecs of the program, or one buffer of the libOS */
struct iter {
	const struct kiovec *iov; /* NULL: kernel buffer */
	int niov;
	char *kbuf;
	uint64_t at;   /* offset in the first iovec, or in kbuf */
	uint64_t left; /* bytes left in all */
	bool more;     /* of a write: another one follows at once, so a socket need not send yet */
	bool append;   /* of a write: at the file's end, as with O_APPEND */
};
void iter_user(struct iter *it, const struct kiovec *iov, int niov, uint64_t total);
void iter_kernel(struct iter *it, void *buf, uint64_t len);
/* Copy min(n, left) bytes and advance; bytes copied (fewer only at a bad address: then -EFAULT when none). */
long iter_put(struct iter *it, const void *src, uint64_t n); /* file -> destination */
long iter_get(struct iter *it, void *dst, uint64_t n);       /* source -> file */
long iter_zero(struct iter *it, uint64_t n);
/* RLIMIT_FSIZE, for a write at pos of a regular file: cuts it down, or sends SIGXFSZ: -EFBIG. rw.c. */
int iter_limit(struct iter *it, uint64_t pos);

/* ---- readiness */
#define POLLIN    0x001u
#define POLLPRI   0x002u
#define POLLOUT   0x004u
#define POLLERR   0x008u
#define POLLHUP   0x010u
#define POLLNVAL  0x020u
#define POLLRDHUP 0x2000u

/* Embedded in whatever can become ready; watchers are epoll items and poll(2) calls. */
struct pollable {
	struct list watchers; /* of struct poll_watch */
};
struct poll_watch {
	struct list link;
	/* Must not block. Returns true when it made a thread runnable. */
	bool (*notify)(struct poll_watch *w, uint32_t events);
	bool exclusive; /* EPOLLEXCLUSIVE: of these only the first whose notify() says true is told */
};
void pollable_init(struct pollable *p);
/* Tells all watchers that these events may have come true (an edge, for EPOLLET). */
void poll_notify(struct pollable *p, uint32_t events);

#define GET_PAGE_SHARED 1u
#define GET_PAGE_WRITE  2u
#define GET_PAGE_BLOCK  4u /* other threads may run meanwhile */
#define GET_PAGE_CACHED 8u /* -EAGAIN when it is not in memory */

struct file_ops {
	const char *name; /* for traces: "tmpfs", "tcp", "pipe" */
	/* pos: in and out for seekable files, NULL for streams. Bytes, 0 at the end, or -errno. nonblock from O_NONBLOCK
	 * or the call's flags. Both may block. */
	long (*read)(struct file *f, struct iter *it, uint64_t *pos, bool nonblock);
	long (*write)(struct file *f, struct iter *it, uint64_t *pos, bool nonblock);
	uint32_t (*poll)(
		struct file *f); /* events that are true now; NULL: always readable and writable */
	struct pollable *(*pollable)(
		struct file *f); /* NULL: never changes (epoll answers EPERM) */
	long (*ioctl)(struct file *f, unsigned cmd, uptr_t arg);
	long (*seek)(struct file *f, int64_t off, int whence);
	int (*stat)(struct file *f, struct kstat *st);
	int (*truncate)(struct file *f, uint64_t size);
	int (*sync)(struct file *f, bool data_only);
	/* Sends what mappings have written to where the file is kept; NULL: the frames are the file. May block. */
	int (*writeback)(struct file *f);
	long (*getdents)(struct file *f, uptr_t buf, size_t size);
	/* The frame (direct-map pointer, page-aligned) behind page pgoff of the file, for mmap; how: GET_PAGE_. With SHARED and WRITE, a
	 * frame that the file itself uses. A RAM frame comes with a reference that the caller gives back (page_put). */
	int (*get_page)(struct file *f, uint64_t pgoff, unsigned how, void **frame);
	bool copied; /* get_page() takes memory until the file is closed: what only passes is read() */
	void (*release)(struct file *f); /* last reference gone; must not block */
};

struct file {
	const struct file_ops *ops;
	unsigned refs;
	unsigned flags; /* O_ACCMODE, O_NONBLOCK, O_APPEND, ... as fcntl(F_GETFL) gives them */
	uint64_t pos;
	bool pos_taken;        /* by a transfer that is under way */
	struct inode *inode;   /* files of a file system; else NULL. Lives as long as dentry does */
	struct dentry *dentry; /* where it was opened; with a reference; NULL as inode */
	void *priv;            /* owned by the type */
	struct list epitems;   /* epoll items that watch this description */
	int32_t owner;         /* F_SETOWN_EX, F_SETSIG (owner.c): kept */
	uint8_t owner_type, owner_signal;
};

/* A file with one reference, or NULL. */
struct file *file_new(const struct file_ops *ops, unsigned flags, void *priv);
struct file *file_get(struct file *f);
void file_put(struct file *f);

/* For mappings: no (new) writing through shared ones (F_SEAL_WRITE); a hole in the file (MADV_REMOVE). */
bool file_sealed(const struct file *f);
int file_punch(struct file *f, uint64_t off, uint64_t len);
/* Its contents were read, or mapped: the file system may note the time. */
void file_accessed(const struct file *f);

/* Watching: add and remove a watcher of a file that has a pollable. */
void poll_watch_add(struct pollable *p, struct poll_watch *w);
void poll_watch_del(struct poll_watch *w);
/* What is ready now, for a file of any type. */
uint32_t file_poll(struct file *f);

/* ---- descriptor table of the process. Descriptors opened with O_PATH are not found by the first two. */
struct file *fd_file(int fd);     /* borrowed; NULL: EBADF */
struct file *fd_file_get(int fd); /* with a reference, for calls that block */
struct file *fd_file_any(int fd); /* borrowed, O_PATH as well */
int fd_install(
	struct file *f, bool cloexec); /* lowest free; takes the reference on success; -EMFILE */
/* Lowest free descriptor >= min; as fd_install(). -EINVAL when min is not below the limit. */
int fd_install_from(struct file *f, bool cloexec, unsigned min);
/* Would fd_install() find a number? For calls that must not take what they can not hand over (accept). */
bool fd_room(void);
int fd_close(int fd);
/* RLIMIT_NOFILE, soft: no descriptor is as large. */
unsigned fd_limit(void);
unsigned fd_table_size(void); /* how many descriptors have a place at present */
/* The lowest descriptor >= from that is open, or -1. */
int fd_next(int from);

/* ---- sockets are files with these operations more (libos/net/); the table is found by f->ops == &tcp_file_ops etc. */

#endif
