/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes and fifos (pipe.c). */
#ifndef LIBOS_FS_PIPE_H
#define LIBOS_FS_PIPE_H

#include "libos/fs/file.h"

struct pipe;

/* The pipe that f is an end of, or NULL. */
struct pipe *pipe_of(const struct file *f);

/* F_SETPIPE_SZ and F_GETPIPE_SZ: bytes, -EBADF when f is no pipe, -EBUSY when what is in it would not fit. */
long pipe_set_size(struct file *f, unsigned bytes);
long pipe_get_size(struct file *f);

#endif
