/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes at start-up. */
#ifndef LIBOS_FS_P9FS_MOUNT_H
#define LIBOS_FS_P9FS_MOUNT_H

#include <stdbool.h>

struct v9p;

/* Mounts a volume at a folder (absolute path), which is made when it is not there. 0 or -errno. */
int p9_mount(struct v9p *dev, const char *place, bool read_only);

#endif
