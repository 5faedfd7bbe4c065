/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a pipe, for pipe.c and splice.c. */
#ifndef LIBOS_FS_PIPE_IMPL_H
#define LIBOS_FS_PIPE_IMPL_H

#include "libos/fs/pipe.h"
#include "libos/sched/thread.h"

#define PIPE_BUF 4096u

struct pipe {
	unsigned refs; /* open files and the inode */
	unsigned readers, writers;
	unsigned reader_opens, writer_opens; /* ever: for opens that wait */
	uint64_t head, tail;                 /* bytes ever written, read */
	unsigned bytes;                      /* capacity: whole pages, a power of two */
	char **page;                         /* bytes / PAGE_BYTES of them; NULL: not taken */
	bool held; /* by a splice that takes away what it could hand over: no other reader until then */
	struct waitq rd, wr, opens;
	struct pollable rd_poll, wr_poll;
};

static inline uint64_t pipe_used(const struct pipe *p)
{
	return p->head - p->tail;
}

static inline uint64_t pipe_room(const struct pipe *p)
{
	return p->bytes - pipe_used(p);
}

/* Waits until there is something in the pipe and nobody holds it. 1, 0 at its end, or -errno. */
int pipe_wait_data(struct pipe *p, bool nonblock);
/* Moves what is there, at most it->left; -EFAULT when nothing could be. */
long pipe_take(struct pipe *p, struct iter *it);
/* There is something to read, or room again: wakes and tells who waits for that. */
void pipe_can_read(struct pipe *p);
void pipe_can_write(struct pipe *p);

#endif
