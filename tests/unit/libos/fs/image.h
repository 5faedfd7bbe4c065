/* SPDX-License-Identifier: Apache-2.0 */
/* EROFS images for tests, made by Debian's mkfs.erofs. */
#ifndef TESTS_UNIT_LIBOS_FS_IMAGE_H
#define TESTS_UNIT_LIBOS_FS_IMAGE_H

#include <stddef.h>

/* An image of dir: page-aligned memory that can be written, never freed. Ends the test with 77 when there is no mkfs.erofs. */
void *image_make(const char *dir, const char *options, size_t *bytes);

#endif
