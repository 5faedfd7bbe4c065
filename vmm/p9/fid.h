/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fids of a session: the client's numbers for files. Each holds an O_PATH descriptor, which names the file for as long as the fid
 * lives, whatever happens to its names; when opened also a descriptor for data. How many there may be is limited here: the
 * descriptors are the monitor's.
 */
#ifndef VMM_P9_FID_H
#define VMM_P9_FID_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define P9_FIDS_MAX    16384u
#define P9_FID_BUCKETS 1024u

#define P9_XATTRS_MAX 64u    /* fids that stand for an extended attribute */
#define P9_XATTR_MAX  65536u /* bytes of one, or of all names */

struct p9_xattr; /* ops_xattr.c */

struct p9_fid {
	uint32_t id;
	int path_fd;            /* owned, O_PATH */
	int io_fd;              /* owned; -1: not open */
	bool writable, synced;  /* as opened */
	mode_t type;            /* S_IFMT of the inode; it never changes */
	off_t dir_pos;          /* where io_fd of a directory stands; -1: unknown */
	struct p9_xattr *xattr; /* owned; NULL: it stands for the file */
	struct p9_fid *next;
};

struct p9_fids {
	struct p9_fid *bucket[P9_FID_BUCKETS];
	unsigned count, xattrs;
};

/* NULL: no such fid. */
struct p9_fid *p9_fid_find(const struct p9_fids *fids, uint32_t id);
/* A new fid; path_fd is taken, also on failure: -EINVAL (the number is in use or NOFID), -ENFILE (too many), -ENOMEM. */
int p9_fid_add(struct p9_fids *fids, uint32_t id, int path_fd, mode_t type);
/* Gives f another file and closes what it had. */
void p9_fid_replace(struct p9_fid *f, int path_fd, mode_t type);
void p9_fid_remove(struct p9_fids *fids, struct p9_fid *f);
void p9_fids_clear(struct p9_fids *fids);

#endif
