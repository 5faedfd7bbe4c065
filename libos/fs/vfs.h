/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths, inodes, mounts: the read-only EROFS image as root, a tmpfs above it for all that is written (copy-up on the first write),
 * procfs at /proc, sysfs files at /sys, devices at /dev.
 */
#ifndef LIBOS_FS_VFS_H
#define LIBOS_FS_VFS_H

#include "libos/fs/file.h"

#include <stddef.h>

struct kstat {
	uint64_t dev, ino;
	uint32_t mode, nlink, uid, gid;
	uint64_t rdev, size, blksize, blocks; /* bytes, bytes, bytes, 512-byte units */
	uint64_t atime_ns, mtime_ns, ctime_ns;
	uint64_t btime_ns; /* 0: not known */
};

/* image may be 0: then the root is an empty tmpfs. Broken metadata: -EINVAL and a line on the console. */
int vfs_init(const void *image, uint64_t image_bytes);

/* Opens a path from the root, for the libOS itself (program, interpreter, /etc/uigniter/cmdline). */
int vfs_open(const char *path, unsigned flags, unsigned mode, struct file **file);
/* Reads at most n bytes at off; bytes or -errno. */
long file_pread(struct file *f, void *buf, size_t n, uint64_t off);
/* The path it was opened by, for /proc/self/maps and exe: its length, or 0 when there is none. */
size_t file_path(struct file *f, char *buf, size_t size);
int file_size(struct file *f, uint64_t *bytes);

/* As umask(2). */
unsigned vfs_umask_set(unsigned mask);

/* Sends what mappings of volume files have written to the host; at_end: the program ends, nothing else runs. 0 or the first -errno. */
int vfs_sync_all(bool at_end);

/* Puts a descriptor 0, 1, 2 on the console. */
int vfs_stdio(void);

/* The path of an open file as /proc/self/maps and readlink of /proc/self/fd/N show it ("/x (deleted)", "pipe:[7]"), NUL-terminated, cut
 * at size. Its length. */
size_t file_path(struct file *f, char *buf, size_t size);
/* As fstat(2), for files of any kind. */
int vfs_fstat(struct file *f, struct kstat *st);

/* The umask: sets, returns the old one. */
unsigned vfs_umask_set(unsigned mask);

/* What execve(2) says of these arguments, pointers of the program: 0 when the file could be run. */
int vfs_may_execute(uptr_t path, uptr_t argv, uptr_t envp);

/* The program's working folder: 0 or -errno. */
int vfs_chdir(const char *path);

/* AF_UNIX names. bind: makes a socket node at path (program's rules: umask, -EADDRINUSE when the name is taken) that belongs
 * to owner; the inode is returned with a reference for vfs_unbind_socket(), which forgets owner (the node stays, and refuses).
 * find: the owner, -ECONNREFUSED when the path is no socket or nobody owns it, or the walk's error. */
int vfs_bind_socket(const char *path, void *owner, struct inode **inode);
void vfs_unbind_socket(struct inode *inode);
int vfs_find_socket(const char *path, void **owner);

#endif
