/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the file behind a block device: a regular file or a block device of the host. */
#ifndef VMM_DEV_DRIVE_H
#define VMM_DEV_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

struct err;

/* A descriptor, or -errno with the reason. */
int drive_open(const char *path, bool read_only, struct err *err);

/* Bytes of it, or -errno. */
int64_t drive_bytes(int fd);

/* Says that this process uses the file, alone if it writes: two guests that write one file system destroy it. The lock goes with
 * the last descriptor. 0 or -EBUSY. */
int drive_lock(int fd, bool read_only, struct err *err);

#endif
