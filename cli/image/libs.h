/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader and the shared libraries of a dynamic program, found by DT_NEEDED and copied into an image. Libraries are
 * searched in the program's RUNPATH and then where this system's loader looks; they are put where the loader
 * inside the image looks without a cache.
 */
#ifndef CLI_IMAGE_LIBS_H
#define CLI_IMAGE_LIBS_H

#include "cli/image/root.h"

/* path: of the program on the host, for $ORIGIN. Nothing to do for a static one. 0, -ENOENT (a library is missing), -errno. */
int libs_add(struct root *root, int program_fd, const char *path, struct err *err);

#endif
