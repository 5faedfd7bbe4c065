/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images that the manager builds: a client's context comes as a stream into a file, and then a process of its own (cli/builder), with a user of
 * its own, no capabilities, no network and limits on memory, time and disk, reads it and makes the image. The client may be hostile: the manager
 * itself never looks into a context, and holds what the builder says against the same rules as an upload.
 *
 *   build_upload_new()        build_begin()          a place is free          the builder has ended       all of it is read
 *   ------------> UPLOADING ------------> WAITING ------------> BUILDING ------------> STORING ------------> gone
 *                     |                      |                     |                      |
 *                     +-- build_upload_abort(), cancelled, time is over, builds_stop() ---+--> gone
 *
 * STATE_DIR/build/ID/{context,image,work/}: only `work` is the builder's. All of it goes with the build; the next manager removes what
 * one that was killed has left.
 */
#ifndef DAEMON_BUILD_H
#define DAEMON_BUILD_H

#include "lib/err.h"
#include "lib/util.h"

#include <stdbool.h>
#include <stdint.h>

#define BUILD_CONTEXT_MAX_BYTES (1024 * MIB)
#define BUILDS_MAX              16 /* uploads, and builds that wait, included */
#define BUILDS_RUNNING_MAX      2
#define BUILD_TIME_NS           (600 * NS_PER_S)

struct build;
struct builds;
struct core;
struct operation;

/* 0 or -errno with err. */
int builds_new(struct core *core, struct builds **builds, struct err *err);
/* The manager ends: all builds end. NULL is fine. */
void builds_stop(struct builds *builds);
void builds_free(struct builds *builds); /* NULL is fine */

/* 0; -EAGAIN with err: there are too many; -ENOENT with err: there is no builder; -errno with err. */
int build_upload_new(struct builds *builds, struct build **build, struct err *err);
/* 0, -EMSGSIZE, -ENOSPC, another -errno. */
int build_upload_write(struct build *build, const void *data, size_t len);
void build_upload_abort(struct build *build); /* NULL is fine */

/*
 * The upload is complete; takes build. manifest: its path in the context; NULL: what was uploaded is the manifest. name: of the image; NULL: the
 * manifest's. words (taken, as of args_split(); NULL): what it runs, of OSv's manifests. *op (kind "image.build") is borrowed; its result is the Image. 0 or -errno with err, as operation_begin().
 */
int build_begin(struct build *build, const char *manifest, const char *name, char **words,
	const struct operation **op, struct err *err);

#endif
