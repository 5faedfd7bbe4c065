/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 9P2000.L as both sides of a volume see it: numbers of messages and flags. A message is size[4] type[1] tag[2] and a body; integers are
 * little-endian, a string is length[2] and bytes without a NUL. An answer's type is the request's + 1, or P9_RLERROR with ecode[4], a
 * Linux errno. Source: the protocol description of diod (protocol.md), and intro(5) of Plan 9 for what 9P2000.L takes from 9P2000.
 *
 * One virtqueue; a request is one chain: the message, then room for the answer (virtio device 9: the configuration space holds the
 * mount tag, le16 length and bytes).
 */
#ifndef ABI_P9_H
#define ABI_P9_H

#include "abi/types.h"

#define P9_VERSION "9P2000.L"

enum p9_type {
	P9_RLERROR = 7,
	P9_TSTATFS = 8,    /* fid[4] -> type[4] bsize[4] blocks[8] bfree[8] bavail[8] files[8]
				 ffree[8] fsid[8] namelen[4] */
	P9_TLOPEN = 12,    /* fid[4] flags[4] -> qid[13] iounit[4] */
	P9_TLCREATE = 14,  /* fid[4] name[s] flags[4] mode[4] gid[4] -> qid[13] iounit[4] */
	P9_TSYMLINK = 16,  /* dfid[4] name[s] target[s] gid[4] -> qid[13] */
	P9_TMKNOD = 18,    /* dfid[4] name[s] mode[4] major[4] minor[4] gid[4] -> qid[13] */
	P9_TRENAME = 20,   /* fid[4] dfid[4] name[s] -> */
	P9_TREADLINK = 22, /* fid[4] -> target[s] */
	P9_TGETATTR = 24,  /* fid[4] mask[8] -> see P9_RGETATTR_BYTES */
	P9_TSETATTR =
		26, /* fid[4] valid[4] mode[4] uid[4] gid[4] size[8] atime_sec[8] atime_nsec[8]
				 mtime_sec[8] mtime_nsec[8] -> */
	P9_TXATTRWALK = 30,   /* fid[4] newfid[4] name[s] -> size[8]; no name: the list of names */
	P9_TXATTRCREATE = 32, /* fid[4] name[s] size[8] flags[4] -> ; set at Tclunk */
	P9_TREADDIR =
		40, /* fid[4] offset[8] count[4] -> count[4] (qid[13] offset[8] type[1] name[s])* */
	P9_TFSYNC = 50, /* fid[4] datasync[4] -> */
	P9_TLOCK =
		52, /* fid[4] type[1] flags[4] start[8] length[8] proc[4] client[s] -> status[1] */
	P9_TGETLOCK =
		54,    /* fid[4] type[1] start[8] length[8] proc[4] client[s] -> the same but fid */
	P9_TLINK = 70, /* dfid[4] fid[4] name[s] -> */
	P9_TMKDIR = 72,    /* dfid[4] name[s] mode[4] gid[4] -> qid[13] */
	P9_TRENAMEAT = 74, /* olddir[4] oldname[s] newdir[4] newname[s] -> */
	P9_TUNLINKAT = 76, /* dfid[4] name[s] flags[4] -> */
	P9_TVERSION = 100, /* msize[4] version[s] -> the same */
	P9_TAUTH = 102,
	P9_TATTACH = 104, /* fid[4] afid[4] uname[s] aname[s] n_uname[4] -> qid[13] */
	P9_TFLUSH = 108,  /* oldtag[2] -> */
	P9_TWALK = 110,   /* fid[4] newfid[4] n[2] name[s]*n -> n[2] qid[13]*n */
	P9_TREAD = 116,   /* fid[4] offset[8] count[4] -> count[4] data */
	P9_TWRITE = 118,  /* fid[4] offset[8] count[4] data -> count[4] */
	P9_TCLUNK = 120,  /* fid[4] -> */
	P9_TREMOVE = 122, /* fid[4] -> ; clunks too */
};

#define P9_HEAD_BYTES  7u  /* size, type, tag */
#define P9_ERROR_BYTES 11u /* the smallest room for an answer that may fail */
#define P9_READ_HEAD   11u /* Rread and Rreaddir in front of the data */
#define P9_WRITE_HEAD  23u /* Twrite in front of the data */
#define P9_QID_BYTES   13u /* type[1] version[4] path[8] */
#define P9_RGETATTR_BYTES                                                                          \
	160u /* with the head: valid[8] qid mode[4] uid[4] gid[4] nlink[8] rdev[8] size[8] blksize[8]
					 blocks[8], then atime mtime ctime btime as sec[8] nsec[8] each, gen[8] data_version[8] */
#define P9_WALK_MAX 16u /* names of one Twalk */
#define P9_NAME_MAX 255u
#define P9_NOFID    0xffffffffu
#define P9_NOTAG    0xffffu

/* Data of one read or write; a message has 4 KiB more. */
#define P9_IO_BYTES  0x80000u
#define P9_MSIZE_MAX (P9_IO_BYTES + 0x1000u)
#define P9_MSIZE_MIN 0x1000u

#define P9_QID_DIR     0x80u
#define P9_QID_SYMLINK 0x02u
#define P9_QID_FILE    0x00u

#define P9_GETATTR_BASIC 0x7ffull /* mode to blocks */

#define P9_SETATTR_MODE      0x001u
#define P9_SETATTR_UID       0x002u
#define P9_SETATTR_GID       0x004u
#define P9_SETATTR_SIZE      0x008u
#define P9_SETATTR_ATIME     0x010u /* now, without ATIME_SET */
#define P9_SETATTR_MTIME     0x020u
#define P9_SETATTR_CTIME     0x040u
#define P9_SETATTR_ATIME_SET 0x080u
#define P9_SETATTR_MTIME_SET 0x100u

#define P9_LOCK_READ   0u
#define P9_LOCK_WRITE  1u
#define P9_LOCK_UNLOCK 2u

/* A Tlock of this client is flock(2)'s: of the whole file, start and length do not count. Our own. */
#define P9_LOCK_FLOCK "flock"

#define P9_LOCK_SUCCESS 0u
#define P9_LOCK_BLOCKED 1u
#define P9_LOCK_ERROR   2u

#define P9_UNLINK_DIR 0x200u /* AT_REMOVEDIR */

/* Flags of open(2) as 9P2000.L carries them: those of x86-64 Linux. What a volume honours. */
#define P9_OPEN_ACCMODE 3u
#define P9_OPEN_WRONLY  1u
#define P9_OPEN_RDWR    2u
#define P9_OPEN_EXCL    0x80u
#define P9_OPEN_TRUNC   0x200u
#define P9_OPEN_DSYNC   0x1000u
#define P9_OPEN_SYNC    0x101000u

#endif
