/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON of container images: what image, which layers, which configuration. Sources: OCI Image Format Specification 1.0 (image
 * layout, index, manifest, config), and the manifest.json of "docker save". Pure functions of bytes that come from
 * anywhere: counts and lengths have limits, names of files are only ever digests or plain relative paths.
 */
#ifndef CLI_IMAGE_OCI_H
#define CLI_IMAGE_OCI_H

#include "lib/digest.h"
#include "lib/err.h"

#include <jansson.h>

#define OCI_JSON_MAX_BYTES (4 * 1024 * 1024)
#define OCI_LAYERS_MAX     127
#define OCI_PATH_BYTES     256

struct oci_layer {
	char path[OCI_PATH_BYTES];       /* in the layout or archive */
	char digest[DIGEST_TEXT_BYTES];  /* of that file; "": not said */
	char diff_id[DIGEST_TEXT_BYTES]; /* of the tar archive in it */
};

struct oci_image {
	char *name;                            /* owned: what the archive calls it, or NULL */
	char config_path[OCI_PATH_BYTES];      /* of the configuration's JSON */
	char config_digest[DIGEST_TEXT_BYTES]; /* "": not said */
	unsigned int nlayers;
	struct oci_layer layer[OCI_LAYERS_MAX];
	json_t *config; /* owned: the member "config" of the configuration, an object */
};

/* What an index leads to. */
struct oci_target {
	char path[OCI_PATH_BYTES], digest[DIGEST_TEXT_BYTES];
	char *name; /* owned, or NULL */
};

/*
 * index.json, or an index below it: the manifest (or index) for linux/amd64; with a reference the one of that name, else
 * there must be one only. -ENOENT: none fits, -EEXIST: several do; -EINVAL: not an index.
 */
int oci_index(const char *text, size_t len, const char *reference, struct oci_target *target,
	struct err *err);
/* True when a document is an index and not a manifest; -EINVAL with err when it is neither. */
int oci_is_index(const char *text, size_t len, struct err *err);
/* A manifest: config_path, config_digest and the layers' path and digest. */
int oci_manifest(const char *text, size_t len, struct oci_image *image, struct err *err);
/* manifest.json of docker save: name, config_path, the layers' path. */
int oci_docker_manifest(const char *text, size_t len, const char *reference,
	struct oci_image *image, struct err *err);
/* The configuration: config, and the diff_id of each layer. -ENOEXEC: not for linux/amd64. */
int oci_config(const char *text, size_t len, struct oci_image *image, struct err *err);
void oci_image_fini(struct oci_image *image);

#endif
