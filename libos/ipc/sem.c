/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Semaphores of System V: semget(2), semop(2), semtimedop(2), semctl(2). Operations are done as a whole or not at all. Who has to wait is in the
 * set's list, in the order they came; whoever changes a value does for them what has become possible (as Linux does: a thread that comes later can
 * not take it away). What SEM_UNDO remembers is only counted, for ERANGE: it would be undone when the process ends, and all ends with it.
 *
 *   semop --possible--> done
 *     \--not--> waiter in the list --settle(): possible--> done, woken      -EINTR, -EAGAIN (time), -EIDRM take it out as well
 */
#include "libos/ipc/ids.h"
#include "libos/ipc/proc.h"
#include "libos/klib/errno.h"
#include "libos/klib/list.h"
#include "libos/fs/tablefs.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/uaccess.h"
#include "libos/sched/clock.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"
#include "libos/sys/sysctl.h"
#include "libos/uapi/time.h"

#define SEMMNI 32000
#define SEMMSL 32000
#define SEMMNS 1024000000
#define SEMOPM 500
#define SEMVMX 32767
#define SEMAEM SEMVMX

#define WAIT (-EINPROGRESS) /* inside: not possible now */

struct sem {
	int value, pid;
	int undo; /* what would be added when the process ends */
};

struct sem_set {
	struct ipc_object ipc;
	int64_t otime;
	unsigned nsems;
	struct list waiters;
	struct sem sem[];
};

struct sem_waiter {
	struct list link;
	struct waitq wait;
	const struct sembuf *ops;
	unsigned nops;
	const struct sembuf *stuck; /* the operation that is not possible */
	int result;                 /* WAIT while in the list */
};

static const struct ipc_kind kind;
static const int64_t semmni = SEMMNI;
static struct ipc_ids ids = {
	.kind = &kind, .max = &semmni, .next_id = &sysctl_value[SYSCTL_SEM_NEXT_ID], .last = -1};
static unsigned sems_used;

static struct sem_set *set_of(struct ipc_object *o)
{
	return container_of(o, struct sem_set, ipc);
}

static void set_free(struct ipc_object *o)
{
	sems_used -= set_of(o)->nsems;
	kfree(set_of(o));
}

/* ---- semget */
static int set_new(int key, uint64_t size, unsigned flags)
{
	unsigned nsems = (unsigned)size; /* SEMMSL at most */
	struct sem_set *s;
	int rc;

	if (!nsems)
		return -EINVAL;
	if (sems_used + nsems > SEMMNS)
		return -ENOSPC;
	s = kzalloc(sizeof(*s) + nsems * sizeof(s->sem[0]));
	if (!s)
		return -ENOMEM;
	s->nsems = nsems;
	list_init(&s->waiters);
	rc = ipc_add(&ids, &s->ipc, key, flags);
	if (rc < 0)
		kfree(s);
	else
		sems_used += nsems;
	return rc;
}

static uint64_t set_size(struct ipc_object *o)
{
	return set_of(o)->nsems;
}

long sys_semget(const uint64_t a[6])
{
	int nsems = (int)a[1];

	if (nsems < 0 || nsems > SEMMSL)
		return -EINVAL;
	return ipc_open(&ids, (int)a[0], (uint64_t)nsems, (unsigned)a[2]);
}

/* ---- operations */
static int apply_one(struct sem *sem, const struct sembuf *op)
{
	int value = sem->value + op->sem_op, undo = sem->undo - op->sem_op;

	if ((!op->sem_op && sem->value) || value < 0)
		return op->sem_flg & (int)IPC_NOWAIT ? -EAGAIN : WAIT;
	if (value > SEMVMX)
		return -ERANGE;
	if (op->sem_flg & SEM_UNDO) {
		if (undo < -SEMAEM - 1 || undo > SEMAEM)
			return -ERANGE;
		sem->undo = undo;
	}
	sem->value = value;
	return 0;
}

static void revert_one(struct sem *sem, const struct sembuf *op)
{
	sem->value -= op->sem_op;
	if (op->sem_flg & SEM_UNDO)
		sem->undo += op->sem_op;
}

/* All of them or none: 0, -EAGAIN, -ERANGE or WAIT; *stuck is then the operation that failed. */
static int apply(
	struct sem_set *s, const struct sembuf *ops, unsigned nops, const struct sembuf **stuck)
{
	unsigned i;
	int rc = 0;

	for (i = 0; i < nops; i++) {
		rc = apply_one(&s->sem[ops[i].sem_num], &ops[i]);
		if (rc)
			break;
	}
	if (rc) {
		*stuck = &ops[i];
		while (i--)
			revert_one(&s->sem[ops[i].sem_num], &ops[i]);
		return rc;
	}
	for (i = 0; i < nops; i++)
		s->sem[ops[i].sem_num].pid = IPC_PID;
	s->otime = ipc_now();
	return 0;
}

static bool alters(const struct sembuf *ops, unsigned nops)
{
	for (unsigned i = 0; i < nops; i++) {
		if (ops[i].sem_op)
			return true;
	}
	return false;
}

static void finish(struct sem_waiter *w, int result)
{
	w->result = result;
	list_del(&w->link);
	waitq_wake_all(&w->wait);
}

/* A value has changed: does for those who wait what is possible now, from the first on after each that changes something again. */
static void settle(struct sem_set *s)
{
	bool again = true;

	while (again) {
		again = false;
		list_for_each_safe (w, &s->waiters, struct sem_waiter, link) {
			int rc = apply(s, w->ops, w->nops, &w->stuck);

			if (rc == WAIT)
				continue;
			finish(w, rc);
			again = !rc && alters(w->ops, w->nops);
			if (again)
				break;
		}
	}
}

static int wait_for(struct sem_set *s, const struct sembuf *ops, unsigned nops,
	const struct sembuf *stuck, uint64_t deadline)
{
	struct sem_waiter w = {.ops = ops, .nops = nops, .stuck = stuck, .result = WAIT};
	int rc = 0;

	waitq_init(&w.wait);
	list_add_tail(&s->waiters, &w.link);
	s->ipc.refs++;
	while (w.result == WAIT && !rc)
		rc = waitq_wait(&w.wait, deadline);
	list_del(&w.link);
	ipc_put(&ids, &s->ipc);
	if (w.result != WAIT)
		return w.result;
	return rc == -ETIMEDOUT ? -EAGAIN : rc;
}

static int operate(int id, const struct sembuf *ops, unsigned nops, uint64_t deadline)
{
	const struct sembuf *stuck;
	struct ipc_object *o;
	struct sem_set *s;
	int rc = ipc_find(&ids, id, &o);

	if (rc < 0)
		return rc;
	s = set_of(o);
	for (unsigned i = 0; i < nops; i++) {
		if (ops[i].sem_num >= s->nsems)
			return -EFBIG;
	}
	rc = ipc_may(o, alters(ops, nops) ? 0222 : 0444);
	if (rc < 0)
		return rc;
	rc = apply(s, ops, nops, &stuck);
	if (!rc && alters(ops, nops))
		settle(s);
	return rc == WAIT ? wait_for(s, ops, nops, stuck, deadline) : rc;
}

static long semop(int id, uptr_t uops, unsigned nops, uint64_t deadline, bool time_ok)
{
	struct sembuf few[8], *ops = few;
	long rc;

	if (!nops)
		return -EINVAL;
	if (nops > SEMOPM)
		return -E2BIG;
	if (nops > sizeof(few) / sizeof(few[0]))
		ops = kmalloc(nops * sizeof(*ops));
	if (!ops)
		return -ENOMEM;
	rc = -EFAULT;
	if (!copy_from_user(ops, uops, nops * sizeof(*ops)))
		rc = id < 0 || !time_ok ? -EINVAL : operate(id, ops, nops, deadline);
	if (ops != few)
		kfree(ops);
	return rc;
}

long sys_semop(const uint64_t a[6])
{
	return semop((int)a[0], a[1], (unsigned)a[2], TIME_FOREVER, true);
}

long sys_semtimedop(const uint64_t a[6])
{
	uint64_t ns, now = clock_mono_ns();
	struct timespec ts;
	bool ok;

	if (!a[3])
		return sys_semop(a);
	if (get_user(&ts, a[3]) < 0)
		return -EFAULT;
	ok = !timespec_read(&ts, &ns);
	return semop((int)a[0], a[1], (unsigned)a[2],
		ok && ns < TIME_FOREVER - now ? now + ns : TIME_FOREVER, ok);
}

/* ---- semctl */
static long sem_limits(int cmd, uptr_t to)
{
	struct seminfo info = {
		.semmap = SEMMNS,
		.semmni = SEMMNI,
		.semmns = SEMMNS,
		.semmnu = SEMMNS,
		.semmsl = SEMMSL,
		.semopm = SEMOPM,
		.semume = SEMOPM,
		.semusz = cmd == SEM_INFO ? (int)ids.used : 20,
		.semvmx = SEMVMX,
		.semaem = cmd == SEM_INFO ? (int)sems_used : SEMAEM,
	};

	return put_user(to, &info) < 0 ? -EFAULT : ipc_highest(&ids);
}

static void set_fill(struct ipc_object *o, union ipc_ds *d)
{
	d->sem = (struct semid_ds){
		.otime = set_of(o)->otime, .ctime = o->ctime, .nsems = set_of(o)->nsems};
}

static void set_value(struct sem_set *s, unsigned i, int value)
{
	s->sem[i].value = value;
	s->sem[i].pid = IPC_PID;
	s->sem[i].undo = 0;
}

static long setval(int id, int num, int value)
{
	struct ipc_object *o;
	int rc;

	if (value < 0 || value > SEMVMX)
		return -ERANGE;
	rc = ipc_find(&ids, id, &o);
	if (rc < 0)
		return rc;
	if (num < 0 || (unsigned)num >= set_of(o)->nsems)
		return -EINVAL;
	rc = ipc_may(o, 0222);
	if (rc < 0)
		return rc;
	set_value(set_of(o), (unsigned)num, value);
	o->ctime = ipc_now();
	settle(set_of(o));
	return 0;
}

static int getall(const struct sem_set *s, uptr_t to)
{
	for (unsigned i = 0; i < s->nsems; i++) {
		uint16_t value = (uint16_t)s->sem[i].value;

		if (put_user(to + i * sizeof(value), &value) < 0)
			return -EFAULT;
	}
	return 0;
}

static int setall(struct sem_set *s, uptr_t from)
{
	uint16_t *values = kmalloc(s->nsems * sizeof(*values));
	int rc = values ? copy_from_user(values, from, s->nsems * sizeof(*values)) : -ENOMEM;

	for (unsigned i = 0; !rc && i < s->nsems; i++)
		rc = values[i] > SEMVMX ? -ERANGE : 0;
	for (unsigned i = 0; !rc && i < s->nsems; i++)
		set_value(s, i, values[i]);
	kfree(values);
	if (rc < 0)
		return rc;
	s->ipc.ctime = ipc_now();
	settle(s);
	return 0;
}

/* How many wait for this semaphore to grow, or to become zero. */
static int count_waiters(const struct sem_set *s, unsigned num, bool for_zero)
{
	int n = 0;

	list_for_each (w, &s->waiters, struct sem_waiter, link)
		n += w->stuck->sem_num == num && !w->stuck->sem_op == for_zero;
	return n;
}

static long sem_values(int id, int num, int cmd, uptr_t arg)
{
	struct ipc_object *o;
	struct sem_set *s;
	int rc = ipc_find(&ids, id, &o);

	if (!rc)
		rc = ipc_may(o, cmd == SETALL ? 0222 : 0444);
	if (rc < 0)
		return rc;
	s = set_of(o);
	if (cmd == GETALL)
		return getall(s, arg);
	if (cmd == SETALL)
		return setall(s, arg);
	if (num < 0 || (unsigned)num >= s->nsems)
		return -EINVAL;
	switch (cmd) {
	case GETVAL:
		return s->sem[num].value;
	case GETPID:
		return s->sem[num].pid;
	default: /* GETNCNT, GETZCNT */
		return count_waiters(s, (unsigned)num, cmd == GETZCNT);
	}
}

static void set_remove(struct ipc_object *o)
{
	list_for_each_safe (w, &set_of(o)->waiters, struct sem_waiter, link)
		finish(w, -EIDRM);
	ipc_remove(&ids, o);
}

long sys_semctl(const uint64_t a[6])
{
	int id = (int)a[0], num = (int)a[1], cmd = (int)a[2];

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case SEM_INFO:
		return sem_limits(cmd, a[3]);
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return ipc_stat(&ids, id, cmd != IPC_STAT, cmd == SEM_STAT_ANY, a[3]);
	case GETALL:
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
	case SETALL:
		return sem_values(id, num, cmd, a[3]);
	case SETVAL:
		return setval(id, num, (int)a[3]);
	case IPC_SET:
	case IPC_RMID:
		return ipc_change(&ids, id, cmd, a[3]);
	default: /* outside numbers */
		return -EINVAL;
	}
}

static void set_line(struct text *t, struct ipc_object *o, const union ipc_ds *d)
{
	text_printf(t, "%10lu ", d->sem.nsems);
	ipc_owners(t, &d->perm);
	text_printf(t, "%10ld %10ld\n", d->sem.otime, d->sem.ctime);
}

static const struct ipc_kind kind = {
	.ds_bytes = sizeof(struct semid_ds),
	.make = set_new,
	.size = set_size,
	.fill = set_fill,
	.remove = set_remove,
	.free = set_free,
	.head = "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      "
		"ctime",
	.line = set_line,
};

int proc_sysvipc_sem(struct text *t, uint64_t n)
{
	return ipc_table(&ids, t);
}
