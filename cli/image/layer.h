/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers of container images: tar archives that are unpacked above each other, from anywhere. Nothing is written outside the root
 * folder: names with ".." are refused, links on the way are followed as the image itself would see them (RESOLVE_IN_ROOT).
 * Regular files, folders, symbolic and hard links are taken; devices, sockets and pipes are left out, as is what lies in
 * /proc, /sys, /dev and /etc/uigniter. Owners, set-user-id bits and extended attributes are dropped.
 *
 * Whiteouts (OCI Image Layer Specification): ".wh.NAME" removes NAME, ".wh..wh..opq" all of its folder, of the
 * layers below only, wherever they stand in their own layer: so each layer is read twice.
 */
#ifndef CLI_IMAGE_LAYER_H
#define CLI_IMAGE_LAYER_H

#include "cli/image/root.h"
#include "lib/digest.h"

/*
 * Copies what fd holds, unpacked when it is gzip or zstd, to the file out (empty), at most max bytes; digest: of what was
 * written. -E2BIG, -EINVAL (a broken stream), -errno.
 */
int layer_inflate(int fd, int out, uint64_t max, char digest[DIGEST_TEXT_BYTES], struct err *err);

/* Makes a folder of the image, and those on its way, as far as they are not there. 0 or -errno. */
int layer_folder(struct root *root, const char *path);

/* Unpacks the tar archive in fd (seekable, not packed): the files of a build, not a layer, so that no name has a meaning. As layer_apply(). */
int context_unpack(struct root *root, int fd, struct err *err);

/* Unpacks the tar archive in fd (seekable, not packed) over what is in the root. -EINVAL: not one, or a name that is refused;
 * -E2BIG: the root's limits; -errno. */
int layer_apply(struct root *root, int fd, struct err *err);

#endif
