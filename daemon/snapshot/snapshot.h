/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users' own snapshots: a running instance as files, from which others go on, each as an instance of its own (address, name, random numbers,
 * clock; the connections that there were are reset in it). The instance itself goes on too; it stands still while its memory is
 * copied. By the same mechanism as templates (vmm/README.md, "Freeze and clone"), but named, kept until somebody removes them, and of any moment.
 *
 *                snapshot_create()            frozen, copied, thawed: create.c          on the disk, renamed
 *   (no such) -----------------------> COPYING ------------------------------> SEALING ----------------------> READY
 *                                        |  it ended; the disk is full; ...       |                              |
 *                                        +------------> gone, nothing left <------+         snapshot_remove()    |
 *                                                         ^--------------------------------------------------------+
 *
 * One that was made by another build of the monitor or the libOS, or on another processor, is shown as UNUSABLE and refused, never
 * removed: it may be of use again. Removing one ends nothing that runs from it, but that can not be started again.
 *
 * On disk: STATE_DIR/snapshot/NAME/{record.json,state,memory,workset}, made as .new-NAME and renamed when all is on the disk: a folder of
 * another name is half of one. The next manager removes it, and lets the instance go on that it was made of.
 */
#ifndef DAEMON_SNAPSHOT_SNAPSHOT_H
#define DAEMON_SNAPSHOT_SNAPSHOT_H

#include "daemon/id.h"
#include "daemon/image/name.h"
#include "lib/digest.h"
#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define SNAPSHOTS_MAX 256

enum snapshot_state { SNAPSHOT_COPYING, SNAPSHOT_SEALING, SNAPSHOT_READY, SNAPSHOT_UNUSABLE };
extern const char *const snapshot_state_names[]; /* NULL behind the last */

struct core;
struct frozen;
struct image;
struct instance;
struct snapshot;
struct snapshots;

/* What is known of one; borrowed until the next change. */
struct snapshot_info {
	const char *name, *id;
	enum snapshot_state state;
	const char *reason; /* of UNUSABLE; "" */
	const char *digest; /* of the state file, which has that of the memory; "": not yet */
	const char *vm_id, *vm_name; /* what it was made of */
	const char *image, *image_digest, *command;
	unsigned memory_mib;
	uint64_t bytes;    /* of the disk */
	int64_t paused_us; /* how long the instance stood still; -1: not known */
	struct timespec created;
};

/* With those of the folder; what is half made is noted. Before the instances. 0 or -errno with err. */
int snapshots_new(struct core *core, struct snapshots **snapshots, struct err *err);
/* Says which can be used here, lets the sources of half-made ones go on, and removes those. When the instances are adopted. */
void snapshots_adopt(struct snapshots *snapshots);
void snapshots_free(struct snapshots *snapshots); /* NULL is fine; the files stay */

struct snapshot *snapshots_first(const struct snapshots *snapshots); /* by name */
struct snapshot *snapshot_next(const struct snapshot *snapshot);
struct snapshot *snapshots_find(const struct snapshots *snapshots, const char *name); /* NULL */
void snapshot_info(const struct snapshot *snapshot, struct snapshot_info *info);
/* Of the disk, all together. */
uint64_t snapshots_bytes(const struct snapshots *snapshots);

/*
 * Makes one of a running or paused instance. 0 with *snapshot (borrowed), which is COPYING; or -errno with err: -EEXIST the name is taken,
 * -EBUSY the instance is not in a state for it, -EOPNOTSUPP it never can be, -EDQUOT there are too many, -ENOSPC no room, or another.
 */
int snapshot_create(struct snapshots *snapshots, struct instance *inst, const char *name,
	struct snapshot **snapshot, struct err *err);
/* Calls fn once, from the loop: it is READY, or it failed (snapshot NULL; err says why). NULL without memory. */
struct snapshot_waiter;
typedef void snapshot_wait_fn(void *arg, const struct snapshot *snapshot, const struct err *err);
struct snapshot_waiter *snapshot_wait(struct snapshot *snapshot, snapshot_wait_fn *fn, void *arg);
void snapshot_wait_cancel(struct snapshot_waiter *waiter);
/* 0, or -EBUSY with err: it is being made. */
int snapshot_remove(struct snapshot *snapshot, struct err *err);

/* --- for instances */
/* One of the kind that a run can be made from: 0, or with err -ENOENT no such, -EBUSY it is being made, -ESTALE it can not be used here. */
int snapshots_get(const struct snapshots *snapshots, const char *name,
	const struct snapshot **snapshot, struct err *err);
/* What a run from it is made from: borrowed until the next change. */
unsigned snapshot_memory_mib(const struct snapshot *snapshot);
struct image *snapshot_image(const struct snapshot *snapshot);
char *const *snapshot_argv(const struct snapshot *snapshot); /* NULL: the image's own */
char *const *snapshot_env(const struct snapshot *snapshot);
const char *snapshot_name(const struct snapshot *snapshot);
const char *snapshot_id(const struct snapshot *snapshot);
/* What a shell is loaded with for an instance that is made from the snapshot of this id, borrowed until the next change. 0, or -errno with err: it
 * is gone, or can not be used, or is damaged. */
int snapshots_load_from(struct snapshots *snapshots, const struct instance *inst,
	struct frozen *from, struct err *err);
/* It was loaded, with its digests checked. */
void snapshots_loaded(struct snapshots *snapshots, const struct instance *inst);
/* An instance has ended, or is about to be forgotten: nothing is made of it any more. */
void snapshots_hear_end(struct snapshots *snapshots, struct instance *inst);

#endif
