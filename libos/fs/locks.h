/* SPDX-License-Identifier: Apache-2.0 */
/* Locks on ranges of files (range_locks.c). */
#ifndef LIBOS_FS_LOCKS_H
#define LIBOS_FS_LOCKS_H

#include "libos/fs/file.h"

/* fcntl(F_GETLK, F_SETLK, F_SETLKW and the OFD ones) on the file that fd stands for. The waiting ones may block. */
long lock_fcntl(int fd, struct file *f, int cmd, uptr_t arg);
/* A descriptor of this file was closed: the process's locks on it end, as fcntl_locking(2) has it. */
void locks_closed(struct file *f);

#endif
