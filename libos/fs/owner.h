/* SPDX-License-Identifier: Apache-2.0 */
/* F_SETOWN, F_GETOWN, F_SETOWN_EX, F_GETOWN_EX, F_SETSIG and F_GETSIG of fcntl(2). */
#ifndef LIBOS_FS_OWNER_H
#define LIBOS_FS_OWNER_H

#include "libos/fs/file.h"

/* One of the commands above: what fcntl() returns. */
long owner_fcntl(struct file *f, int cmd, uint64_t arg);

#endif
