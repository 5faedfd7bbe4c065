/* SPDX-License-Identifier: Apache-2.0 */
/* File locks (locks.c). */
#ifndef LIBOS_FS_LOCKS_H
#define LIBOS_FS_LOCKS_H

#include "libos/fs/file.h"

/* fcntl(F_GETLK, F_SETLK, F_SETLKW and the OFD ones). */
long lock_fcntl(struct file *f, int cmd, uptr_t arg);

#endif
