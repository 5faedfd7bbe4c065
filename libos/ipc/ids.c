/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers, keys and permissions of System V IPC; ids.h. */
#include "libos/ipc/ids.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/thread.h"
#include "libos/sys/cred.h"

#define SEQ_SHIFT 15 /* IPCMNI_SHIFT: 32768 places */
#define SEQ_MAX   0xffffu
#define INDEX(id) ((unsigned)(id) & ((1u << SEQ_SHIFT) - 1))
#define ROOM_MIN  16u
#define CYCLE_MIN 64u

static int grow(struct ipc_ids *ids)
{
	unsigned room = ids->room ? 2 * ids->room : ROOM_MIN;
	struct ipc_object **bigger = krealloc(ids->object, room * sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	memset(bigger + ids->room, 0, (room - ids->room) * sizeof(*bigger));
	ids->object = bigger;
	ids->room = room;
	return 0;
}

/* Places go round, among half as many again as are in use: so Linux gives them, and programs print them. */
static unsigned free_place(const struct ipc_ids *ids)
{
	unsigned among = ids->used * 3 / 2 > CYCLE_MIN ? ids->used * 3 / 2 : CYCLE_MIN;
	unsigned at = (unsigned)(ids->last + 1);

	if (among > (uint64_t)*ids->max)
		among = (unsigned)*ids->max;
	for (unsigned i = 0; i < among; i++, at++) {
		if (at >= among)
			at = 0;
		if (at >= ids->room || !ids->object[at])
			return at;
	}
	return ids->room;
}

/* The place that the program chose by /proc/sys/kernel/..._next_id, or the first free one behind it. */
static unsigned asked_place(const struct ipc_ids *ids)
{
	unsigned at = INDEX(*ids->next_id);

	while (at < ids->room && ids->object[at])
		at++;
	return at;
}

int ipc_add(struct ipc_ids *ids, struct ipc_object *o, int key, unsigned mode)
{
	bool asked = *ids->next_id >= 0;
	unsigned at;

	if (ids->used >= (uint64_t)*ids->max)
		return -ENOSPC;
	at = asked ? asked_place(ids) : free_place(ids);
	while (at >= ids->room) {
		if (grow(ids) < 0)
			return -ENOMEM;
	}
	if (asked) {
		ids->seq = (unsigned)*ids->next_id >> SEQ_SHIFT;
		*ids->next_id = -1;
	} else if ((int)at <= ids->last) {
		ids->seq = ids->seq + 1 < SEQ_MAX ? ids->seq + 1 : 0;
	}
	ids->last = (int)at;
	ids->object[at] = o;
	ids->used++;
	o->id = (int)(ids->seq << SEQ_SHIFT | at);
	o->refs = 1;
	o->ctime = ipc_now();
	o->perm = (struct ipc_perm){.key = key,
		.uid = cred.uid.effective,
		.cuid = cred.uid.effective,
		.gid = cred.gid.effective,
		.cgid = cred.gid.effective,
		.mode = mode & 0777,
		.seq = (uint16_t)ids->seq};
	return o->id;
}

void ipc_put(struct ipc_ids *ids, struct ipc_object *o)
{
	if (!--o->refs)
		ids->kind->free(o);
}

void ipc_remove(struct ipc_ids *ids, struct ipc_object *o)
{
	ids->object[INDEX(o->id)] = NULL;
	ids->used--;
	o->gone = true;
	ipc_put(ids, o);
}

int ipc_at(const struct ipc_ids *ids, int index, struct ipc_object **o)
{
	if (index < 0 || INDEX(index) >= ids->room || !ids->object[INDEX(index)])
		return -EINVAL;
	*o = ids->object[INDEX(index)];
	return 0;
}

int ipc_find(const struct ipc_ids *ids, int id, struct ipc_object **o)
{
	int rc = ipc_at(ids, id, o);

	return rc ? rc : (*o)->id == id ? 0 : -EINVAL;
}

int ipc_highest(const struct ipc_ids *ids)
{
	unsigned i = ids->room;

	while (i && !ids->object[i - 1])
		i--;
	return i ? (int)i - 1 : 0;
}

int ipc_may(const struct ipc_object *o, unsigned flags)
{
	unsigned want = (flags >> 6 | flags >> 3 | flags) & 7, mode = o->perm.mode;
	uint32_t uid = cred.uid.effective;

	if (uid == o->perm.uid || uid == o->perm.cuid)
		mode >>= 6;
	else if (cred.gid.effective == o->perm.gid || cred.gid.effective == o->perm.cgid ||
		cred_in_groups(o->perm.gid) || cred_in_groups(o->perm.cgid))
		mode >>= 3;
	return want & ~mode && !cred_has(CAP_IPC_OWNER) ? -EACCES : 0;
}

int ipc_mine(const struct ipc_object *o)
{
	uint32_t uid = cred.uid.effective;

	return uid == o->perm.uid || uid == o->perm.cuid || cred_has(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

int ipc_set(struct ipc_object *o, const struct ipc_perm *to)
{
	if (to->uid == UINT32_MAX || to->gid == UINT32_MAX)
		return -EINVAL;
	o->perm.uid = to->uid;
	o->perm.gid = to->gid;
	o->perm.mode = (o->perm.mode & ~0777u) | (to->mode & 0777);
	o->ctime = ipc_now();
	return 0;
}

int64_t ipc_now(void)
{
	return (int64_t)(clock_real_ns() / NS_PER_SEC);
}
