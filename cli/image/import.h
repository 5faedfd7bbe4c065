/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a container image to ours: an OCI image layout (a folder, or a tar archive of one) or what "docker save" wrote, packed
 * or not. Digests are checked before anything is unpacked. Entrypoint, Cmd, Env, WorkingDir, ExposedPorts and Labels
 * become the image's configuration; User is ignored, programs run as root of their own machine.
 */
#ifndef CLI_IMAGE_IMPORT_H
#define CLI_IMAGE_IMPORT_H

#include "cli/image/build.h"
#include "cli/image/oci.h"
#include "cli/image/root.h"

struct import_options {
	const char *source;       /* file or folder */
	const char *reference;    /* which image of several, or NULL */
	const char *name;         /* NULL: what the archive calls it */
	const char *const *words; /* another command, NULL-terminated; or NULL */
	build_progress_fn *progress;
};

/* As image_build(). -EINVAL: what is in the archive, -ENOENT: no such image or program, -ENOEXEC, -errno. */
int image_import(const struct import_options *options, struct image *image, struct err *err);

/*
 * What the program's environment, command and folder become: the image's argument line and configuration. The root is
 * searched for the program (PATH, links, a script's interpreter). line, config: the caller's.
 */
int import_configure(struct root *root, const json_t *oci_config, const char *const *words,
	char **line, json_t **config, struct err *err);

#endif
