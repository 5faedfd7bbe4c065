/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes: files and folders of the host that an instance sees. They are kept as JSON, a list of {source, target, read_only} whose
 * order is that of the VM's devices; the target says the kind: /dev/vda to /dev/vdh is a block device of the file source, any other
 * path is a folder source mounted there.
 *
 * What may be a source: only what lies below one of the folders of --volume-root, after all links are followed. It is opened for
 * that check, and monitors get the open file (as /proc/PID/fd/N), so that nobody can put another file in its place.
 */
#ifndef DAEMON_VOLUME_H
#define DAEMON_VOLUME_H

#include "daemon/check.h"
#include "lib/buf.h"

#include <jansson.h>

#define VOLUMES_MAX             8u
#define VOLUME_TAG_BYTES        8u
#define VOLUME_TARGET_MAX_BYTES 1000u

/* The field "volumes" of a request as such a list (a new reference; NULL when there are none), or -EINVAL with check. */
int volumes_take(struct check *check, const char *field, const json_t *value, json_t **volumes);

/* Open descriptors of all sources, and the path by which this process's children reach each. */
struct volume_files {
	unsigned n;
	int fd[VOLUMES_MAX]; /* O_PATH */
	char path[VOLUMES_MAX][32];
};

/* roots: folders with : between them, NULL: none. 0, or -errno with err: -EACCES not below a root, -ENOENT, -EINVAL the wrong
 * kind. Closed by volume_files_close(), which is right also after a failure and twice. */
int volume_files_open(
	struct volume_files *files, const json_t *volumes, const char *roots, struct err *err);
void volume_files_close(struct volume_files *files);

bool volume_is_disk(const json_t *volume);
bool volume_is_read_only(const json_t *volume);
const char *volume_target(const json_t *volume);
/* Name of the n-th one's device: "v0", ... */
void volume_tag(unsigned n, char tag[VOLUME_TAG_BYTES]);

#endif
