/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest of an image, version 1:
 *
 *   name: imaging/kvstore          image name                                  required
 *   program: kvstore               file that is run                            required
 *   to: /srv/kvstore               where it is in the image
 *   args: [--listen, ":9000"]      its arguments                               at most 255
 *   env: {KEY: value}              its environment (text or whole numbers)     at most 256
 *   cwd: /srv                      its working folder                          default: /
 *   files: [{from: web, to: /srv}] files and folders besides it                at most 1024
 *   links: [{to: /srv, target: /var}]  symbolic links                          at most 1024
 *   memory_mib: 64                 8 - 65536
 *   ports: [9000]                  TCP ports that it serves                    at most 64
 *   readiness: {tcp: 9000}         ready when this port takes a connection
 *   warm: {http: /path}            asked for on that port before it becomes a template, `requests` times (default 20)
 *   labels: {KEY: text}                                                        at most 64
 *
 * `program` and `from` are relative to the context folder and cannot leave it (no "..", no symbolic link that
 * leads out), or absolute: a file of the system that everyone may read (cli/image/source.h), with host_files any.
 * `to` is absolute in the image and stays out of /proc, /sys, /dev and /etc/uigniter. The program is put at
 * /bin/<its name>, one of an absolute path at that path. Libraries that program and files need are found.
 */
#ifndef CLI_IMAGE_MANIFEST_H
#define CLI_IMAGE_MANIFEST_H

#include "cli/image/yaml.h"

#include <stdbool.h>

/* Checks doc->root against the above; whole numbers in env become texts. 0, or -EINVAL with "NAME:LINE: sentence". */
int manifest_check(struct yaml *doc, bool host_files, struct err *err);

/* Reads a file and checks it. doc: to be freed by yaml_fini() also after a failure. 0, -EINVAL, -errno. */
int manifest_load(const char *path, bool host_files, struct yaml *doc, struct err *err);

/* True for ^[a-z0-9][a-z0-9._-]{0,62}$ parts joined by "/", with a ":tag" (as the API has them). */
bool manifest_is_image_name(const char *name);

/* Where the program is in the image. The manifest is one that was checked. 0 or -ENOMEM; *path is owned by the caller. */
int manifest_program_path(const json_t *manifest, char **path);

/* Longest argument line in bytes, without its NUL. */
extern const unsigned int manifest_cmdline_max;

/* A line in the grammar of abi/identity.h: env of texts (may be NULL), cwd NULL or absolute, words of texts. */
int argument_line(json_t *env, const char *cwd, const json_t *words, char **line, struct err *err);

/* The default argument line in the grammar of abi/identity.h: "env=K=V ... -- PROGRAM ARG...". -EMSGSIZE, -ENOMEM. */
int manifest_cmdline(const json_t *manifest, char **line, struct err *err);

/* The configuration that goes to the manager (schema ImageConfig). program: absolute path on the host, for host mode. */
json_t *manifest_config(const json_t *manifest, const char *program);

#endif
