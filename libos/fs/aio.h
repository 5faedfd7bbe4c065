/* SPDX-License-Identifier: Apache-2.0 */
/* What requests of io_submit(2) need of rw.c and eventfd.c. */
#ifndef LIBOS_FS_AIO_H
#define LIBOS_FS_AIO_H

#include "libos/fs/file.h"

/* preadv2(2). HIPRI asks for nothing that is not done anyway. */
#define RWF_HIPRI  0x01u
#define RWF_DSYNC  0x02u
#define RWF_SYNC   0x04u
#define RWF_NOWAIT 0x08u
#define RWF_APPEND 0x10u
#define RWF_KNOWN  0x1fu

/* A transfer at off (not negative; streams have no use for it) as preadv2(2) and pwritev2(2) make it; how: RWF_. May block. */
long file_transfer(struct file *f, struct iter *it, bool write, int64_t off, unsigned how);

bool is_eventfd(const struct file *f);
/* Adds n to the counter of an eventfd, as far as it goes: never blocks. */
void eventfd_add(struct file *f, uint64_t n);

#endif
