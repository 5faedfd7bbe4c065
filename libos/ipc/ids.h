/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the three kinds of System V IPC have in common (sysvipc(7)): a table of objects by identifier and by key, who may use them (ids.c), and
 * the calls that do the same to all of them (control.c). An object embeds struct ipc_object; struct ipc_kind says what is a kind's own. Identifiers are numbered as Linux numbers them: the place in the table, and above it how often places
 * were used again, so that an old identifier names nothing.
 */
#ifndef LIBOS_IPC_IDS_H
#define LIBOS_IPC_IDS_H

#include "libos/uapi/ipc.h"

#include "libos/mem/uaccess.h"

#include <stdbool.h>

struct text; /* libos/fs/tablefs.h */

#define IPC_PID 1 /* of the one process */

struct ipc_object {
	int id;
	struct ipc_perm perm;
	int64_t ctime; /* made, or changed by a control call; seconds since 1970 */
	bool gone;     /* removed while somebody waits at it */
	unsigned refs;
};

/* What IPC_STAT gives and IPC_SET takes. */
union ipc_ds {
	struct ipc_perm perm; /* all begin with it */
	struct shmid_ds shm;
	struct semid_ds sem;
	struct msqid_ds msg;
};

struct ipc_kind {
	unsigned ds_bytes; /* of its part of union ipc_ds */
	/* A new object, taken in by ipc_add(): its identifier or -errno. */
	int (*make)(int key, uint64_t size, unsigned flags);
	uint64_t (*size)(struct ipc_object *o); /* as it was asked for; NULL: it has none */
	void (*fill)(struct ipc_object *o, union ipc_ds *d); /* all but perm, into zeros */
	int (*set)(
		struct ipc_object *o, const union ipc_ds *to); /* IPC_SET; NULL: ipc_set() is all */
	void (*remove)(struct ipc_object *o);                  /* IPC_RMID, ipc_remove() among it */
	void (*free)(struct ipc_object *o);                    /* the last reference is gone */
	/* The file of /proc/sysvipc: its first line, and what stands behind "key id perms" of an object's. */
	const char *head;
	void (*line)(struct text *t, struct ipc_object *o, const union ipc_ds *d);
};

struct ipc_ids {
	const struct ipc_kind *kind;
	struct ipc_object **object;
	unsigned room, used;
	const int64_t *max; /* how many there may be */
	int64_t *next_id; /* the identifier that the next one gets, if its place is free; -1: any */
	unsigned seq;     /* of the identifier that was given last */
	int last;         /* its place; -1 at first */
};

/* Takes a new object in (refs 1): its identifier, -ENOSPC or -ENOMEM. */
int ipc_add(struct ipc_ids *ids, struct ipc_object *o, int key, unsigned mode);
/* The identifier is gone, and so is the table's reference. */
void ipc_remove(struct ipc_ids *ids, struct ipc_object *o);
void ipc_put(struct ipc_ids *ids, struct ipc_object *o);
/* The object of an identifier: 0 or -EINVAL. */
int ipc_find(const struct ipc_ids *ids, int id, struct ipc_object **o);
/* The object at a place of the table, for SHM_STAT and the like: 0 or -EINVAL. */
int ipc_at(const struct ipc_ids *ids, int index, struct ipc_object **o);
/* The highest place in use, or 0. */
int ipc_highest(const struct ipc_ids *ids);

/* May the caller do what flags (permission bits of any class) ask for? 0 or -EACCES. */
int ipc_may(const struct ipc_object *o, unsigned flags);
/* Is it the caller's to change and remove? 0 or -EPERM. */
int ipc_mine(const struct ipc_object *o);
/* Owner and mode, and the time of the change. 0 or -EINVAL. */
int ipc_set(struct ipc_object *o, const struct ipc_perm *to);
/* shmget, semget, msgget: the identifier of the object with this key, or of a new one, as flags say; or -errno. */
long ipc_open(struct ipc_ids *ids, int key, uint64_t size, unsigned flags);
/* IPC_STAT, or by the place in the table and to anyone: 0, the identifier (by_place), or -errno. */
long ipc_stat(struct ipc_ids *ids, int id, bool by_place, bool anyone, uptr_t to);
/* IPC_SET and IPC_RMID. */
long ipc_change(struct ipc_ids *ids, int id, int cmd, uptr_t from);
/* The file of /proc/sysvipc. 0. */
int ipc_table(struct ipc_ids *ids, struct text *t);
/* The columns of owner and maker. */
void ipc_owners(struct text *t, const struct ipc_perm *perm);

/* Seconds since 1970. */
int64_t ipc_now(void);

#endif
