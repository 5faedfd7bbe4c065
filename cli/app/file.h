/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of an application, as people write it:
 *
 *   name: imaging                     [a-z0-9][a-z0-9-]*, at most 31 characters
 *   vars: {queue: db}                 texts that ${var.NAME} stands for, anywhere below
 *   services:
 *     db:                             [a-z0-9][a-z0-9-]*, at most 24 characters
 *       image: imaging/db             an image of the manager, or, where there is a build, the name that it gets
 *       build: db.yaml                manifest (cli/image/manifest.h), relative to this file; or {manifest: db.yaml, context: db}, where
 *                                     context is relative to this file, or to the folder of `app up -C`,
 *                                     which is the context of builds that name none
 *       replicas: 2
 *       depends_on: [kvstore]
 *       args: [/bin/db, "${service.kvstore.address}:9000"]
 *       env: {MICRO_DB_LEASE_MS: 3000}
 *       ports: ["8080:80"]            or {host, guest, address}
 *       volumes: ["data:/data:ro"]    or {source, target, read_only}; sources are relative to this file
 *       memory_mib: 128               and all else that schema ServiceSpec of the API has
 *
 * ${env.NAME} and ${env.NAME:-DEFAULT} in any text, those of vars too, is a variable of the command line's environment (cli/app/env.h).
 *
 * Only what is a convenience is taken apart here; what a service may have is for the manager to say, and its refusals name places, which
 * app_file_line() turns into lines.
 */
#ifndef CLI_APP_FILE_H
#define CLI_APP_FILE_H

#include "cli/image/yaml.h"

#include <stdbool.h>

#define APP_FILE_BUILDS_MAX 64

struct app_build {
	const char *service; /* borrowed of the document */
	const char *image;   /* borrowed; NULL: the manifest's own name */
	char *manifest;      /* owned; a path */
	char *context;       /* owned; as it stands in the file, NULL: the manifest's folder */
};

struct app_file {
	struct yaml doc;
	char *folder;     /* owned; of the file */
	const char *name; /* borrowed */
	json_t *body; /* owned; AppSpec of the API, with the images of builds still missing where they are not named */
	struct app_build *builds;
	size_t nbuilds;
};

/* 0; -EINVAL with "FILE:LINE: sentence", -errno with a sentence. */
int app_file_load(const char *path, struct app_file *file, struct err *err);
/* The same of a text. path: what the file is called, and whose folder is meant. */
int app_file_parse(
	const char *path, const char *text, size_t len, struct app_file *file, struct err *err);
void app_file_fini(struct app_file *file);

/* Sets the image of a build's service. 0 or -ENOMEM. */
int app_file_set_image(struct app_file *file, const struct app_build *build, const char *image);

/* The context of a build as a path: root (that of -C, or NULL) and what stands there. NULL: the manifest's folder. Owned by the caller. */
char *app_file_context(
	const struct app_file *file, const struct app_build *build, const char *root);

#endif
