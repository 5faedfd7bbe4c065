/* SPDX-License-Identifier: Apache-2.0 */
/* Registries: skopeo speaks to them (authentication, mirrors, TLS), as a child. */
#ifndef CLI_IMAGE_SKOPEO_H
#define CLI_IMAGE_SKOPEO_H

#include "cli/image/temp.h"

/*
 * Fetches an image for linux/amd64 of a registry ("registry.example/busybox:1.36", "busybox") as an OCI layout into a new temporary
 * folder; *folder (the caller's) is the layout. -ENOENT: skopeo is not installed; -EIO with what it said.
 */
int skopeo_pull(const char *reference, struct temp *temp, char **folder, struct err *err);

#endif
