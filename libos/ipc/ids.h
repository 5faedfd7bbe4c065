/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the three kinds of System V IPC have in common (sysvipc(7)): a table of objects by identifier and by key, and who may use them.
 * An object embeds struct ipc_object. Identifiers are numbered as Linux numbers them: the place in the table, and above it how often places
 * were used again, so that an old identifier names nothing.
 */
#ifndef LIBOS_IPC_IDS_H
#define LIBOS_IPC_IDS_H

#include "libos/uapi/ipc.h"

#include <stdbool.h>

#define IPC_PID 1 /* of the one process */

struct ipc_object {
	int id;
	struct ipc_perm perm;
	bool gone; /* removed while somebody waits at it */
	unsigned refs;
};

struct ipc_ids {
	struct ipc_object **object;
	unsigned room, max, used;
	unsigned seq; /* of the identifier that was given last */
	int last;     /* its place; -1 at first */
	void (*free)(struct ipc_object *o);
};

/* Takes a new object in (refs 1): its identifier, -ENOSPC or -ENOMEM. */
int ipc_add(struct ipc_ids *ids, struct ipc_object *o, int key, unsigned mode);
/* The identifier is gone, and so is the table's reference. */
void ipc_remove(struct ipc_ids *ids, struct ipc_object *o);
void ipc_put(struct ipc_ids *ids, struct ipc_object *o);
/* The object with that key, or NULL. */
struct ipc_object *ipc_by_key(const struct ipc_ids *ids, int key);
/* The object of an identifier: 0 or -EINVAL. */
int ipc_find(const struct ipc_ids *ids, int id, struct ipc_object **o);
/* The object at a place of the table, for SHM_STAT and the like: 0 or -EINVAL. */
int ipc_at(const struct ipc_ids *ids, int index, struct ipc_object **o);
/* The highest place in use, or 0. */
int ipc_highest(const struct ipc_ids *ids);

/* What get() does with key and flags: *o NULL when a new object is wanted; else one that exists and may be used. 0 or -errno. */
int ipc_get(const struct ipc_ids *ids, int key, unsigned flags, struct ipc_object **o);
/* May the caller do what flags (permission bits of any class) ask for? 0 or -EACCES. */
int ipc_may(const struct ipc_object *o, unsigned flags);
/* Is it the caller's to change and remove? 0 or -EPERM. */
int ipc_mine(const struct ipc_object *o);
/* IPC_SET: owner and mode. 0 or -EINVAL. */
int ipc_set(struct ipc_object *o, const struct ipc_perm *to);
/* Seconds since 1970. */
int64_t ipc_now(void);

#endif
