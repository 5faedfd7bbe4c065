/* SPDX-License-Identifier: Apache-2.0 */
/* What the calls of System V IPC do to objects of any kind: get, IPC_STAT, IPC_SET, IPC_RMID, and their files in /proc; ids.h. */
#include "libos/fs/tablefs.h"
#include "libos/ipc/ids.h"
#include "libos/klib/errno.h"

static struct ipc_object *by_key(const struct ipc_ids *ids, int key)
{
	for (unsigned i = 0; i < ids->room && key != IPC_PRIVATE; i++) {
		if (ids->object[i] && ids->object[i]->perm.key == key)
			return ids->object[i];
	}
	return NULL;
}

long ipc_open(struct ipc_ids *ids, int key, uint64_t size, unsigned flags)
{
	struct ipc_object *o = by_key(ids, key);
	int rc;

	if (!o)
		return key == IPC_PRIVATE || flags & IPC_CREAT ? ids->kind->make(key, size, flags)
							       : -ENOENT;
	if (flags & IPC_CREAT && flags & IPC_EXCL)
		return -EEXIST;
	if (ids->kind->size && size > ids->kind->size(o))
		return -EINVAL;
	rc = ipc_may(o, flags);
	return rc < 0 ? rc : o->id;
}

static void fill(const struct ipc_ids *ids, struct ipc_object *o, union ipc_ds *d)
{
	*d = (union ipc_ds){.msg = {{0}}}; /* the longest */
	ids->kind->fill(o, d);
	d->perm = o->perm;
}
_Static_assert(sizeof(union ipc_ds) == sizeof(struct msqid_ds), "all of it is cleared");

long ipc_stat(struct ipc_ids *ids, int id, bool by_place, bool anyone, uptr_t to)
{
	struct ipc_object *o;
	union ipc_ds d;
	int rc = by_place ? ipc_at(ids, id, &o) : ipc_find(ids, id, &o);

	if (!rc && !anyone)
		rc = ipc_may(o, 0444);
	if (rc < 0)
		return rc;
	fill(ids, o, &d);
	if (copy_to_user(to, &d, ids->kind->ds_bytes) < 0)
		return -EFAULT;
	return by_place ? o->id : 0;
}

long ipc_change(struct ipc_ids *ids, int id, int cmd, uptr_t from)
{
	struct ipc_object *o;
	union ipc_ds d;
	int rc;

	if (cmd == IPC_SET && copy_from_user(&d, from, ids->kind->ds_bytes) < 0)
		return -EFAULT;
	rc = ipc_find(ids, id, &o);
	if (!rc)
		rc = ipc_mine(o);
	if (rc < 0)
		return rc;
	if (cmd == IPC_SET)
		return ids->kind->set ? ids->kind->set(o, &d) : ipc_set(o, &d.perm);
	ids->kind->remove(o);
	return 0;
}

void ipc_owners(struct text *t, const struct ipc_perm *perm)
{
	text_printf(t, "%5u %5u %5u %5u ", perm->uid, perm->gid, perm->cuid, perm->cgid);
}

int ipc_table(struct ipc_ids *ids, struct text *t)
{
	text_printf(t, "%s\n", ids->kind->head);
	for (unsigned i = 0; i < ids->room; i++) {
		struct ipc_object *o = ids->object[i];
		union ipc_ds d;

		if (!o)
			continue;
		fill(ids, o, &d);
		text_printf(t, "%10d %10d  %4o ", d.perm.key, o->id, d.perm.mode);
		ids->kind->line(t, o, &d);
	}
	return 0;
}
