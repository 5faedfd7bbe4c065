/* SPDX-License-Identifier: Apache-2.0 */
/* Reads all of an image through the reader, whatever is in it: for mutated images and for the fuzzer. */
#ifndef TESTS_UNIT_LIBOS_FS_EROFS_WALK_H
#define TESTS_UNIT_LIBOS_FS_EROFS_WALK_H

#include <stddef.h>
#include <stdint.h>

/* A checksum of what was found; bounded in depth and in number of steps. */
uint64_t erofs_walk(const void *image, size_t bytes);

#endif
