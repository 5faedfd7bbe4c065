/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests of others, as one of ours (cli/image/manifest.h), which is then checked and built as any:
 *
 *   OSv's usr.manifest      "GUEST: HOST" lines below [manifest], "#" comments; HOST may be "->TARGET" (a link), "!PATH";
 *                           "GUEST/" and "HOST/" with "**" behind both are whole folders; "A/&/B: H/&" is A/B from H/B; %(NAME)s and
 *                           ${NAME} are variables, MODULE_DIR is the context. What is run is not in it: PROGRAM ARG...
 *   Capstan's packages      a folder with meta/package.yaml (name) and meta/run.yaml: runtime native, node, python or
 *                           java, config_set, config_set_default; the rest of the folder is the image's root. `base` and what
 *                           package.yaml requires are packages of OSv and not taken: runtimes are this machine's own.
 *
 * Sources: OSv scripts/manifest_common.py; Capstan runtime/ and its documentation of meta/.
 */
#ifndef CLI_IMAGE_FOREIGN_H
#define CLI_IMAGE_FOREIGN_H

#include "cli/image/yaml.h"

#include <stdbool.h>

struct foreign {
	const char *name;          /* of the image, or NULL: what the manifest says */
	const char *const *words;  /* PROGRAM ARG..., NULL-terminated, or NULL */
	const char *const *define; /* NAME=VALUE */
	size_t ndefine;
	const char *config; /* of Capstan's config_set, or NULL */
};

/* What a runtime of this machine is made of: foreign_runtime() looks it up, tests say it. */
struct foreign_runtime {
	char program[1024];   /* absolute, links resolved */
	char folder[2][1024]; /* "": none */
};

enum foreign_kind { FOREIGN_NONE, FOREIGN_OSV, FOREIGN_CAPSTAN };

/* What a path of a manifest is, by its name: a folder with meta/run.yaml, or that file; "*.manifest". */
enum foreign_kind foreign_kind(const char *path);
/* Reads it. doc is ours, not checked yet; *context: the folder that paths are relative to, the caller's. 0, -EINVAL with
 * "FILE:LINE: sentence", -errno. */
int foreign_load(const char *path, const struct foreign *options, struct yaml *doc, char **context,
	struct err *err);

/* The pure parts. top: names in the package's folder but meta. */
int foreign_osv(const char *name, const char *text, size_t len, const struct foreign *options,
	struct yaml *doc, struct err *err);
int foreign_capstan(const struct yaml *package, const struct yaml *run, const json_t *top,
	const struct foreign_runtime *runtime, const struct foreign *options, struct yaml *doc,
	struct err *err);

/* "node", "python" or "java" of this machine. -ENOENT: not installed. */
int foreign_runtime(const char *name, struct foreign_runtime *runtime, struct err *err);

#endif
