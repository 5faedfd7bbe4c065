/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message queues of System V: msgget(2), msgsnd(2), msgrcv(2), msgctl(2). Messages lie in the queue in the order they came; a receiver takes
 * the first that it wants. Senders wait for room, receivers for news; both look again when something changes.
 */
#include "libos/fs/tablefs.h"
#include "libos/ipc/ids.h"
#include "libos/ipc/proc.h"
#include "libos/klib/errno.h"
#include "libos/klib/list.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/uaccess.h"
#include "libos/sched/thread.h"
#include "libos/sys/cred.h"
#include "libos/sys/syscall.h"
#include "libos/sys/sysctl.h"

#define MSGMAX sysctl_value[SYSCTL_MSGMAX]
#define MSGMNB sysctl_value[SYSCTL_MSGMNB]
#define MSGMNI sysctl_value[SYSCTL_MSGMNI]

struct message {
	struct list link;
	int64_t type;
	uint64_t bytes;
	char text[];
};

struct msg_queue {
	struct ipc_object ipc;
	int64_t stime, rtime;
	uint64_t cbytes, qnum, qbytes;
	int lspid, lrpid;
	struct list messages;
	struct waitq senders, receivers;
};

static const struct ipc_kind kind;
static struct ipc_ids ids = {
	.kind = &kind, .max = &MSGMNI, .next_id = &sysctl_value[SYSCTL_MSG_NEXT_ID], .last = -1};

static struct msg_queue *queue_of(struct ipc_object *o)
{
	return container_of(o, struct msg_queue, ipc);
}

static void queue_empty(struct msg_queue *q)
{
	struct list *l;

	while ((l = list_pop(&q->messages)))
		kfree(container_of(l, struct message, link));
}

static void queue_free(struct ipc_object *o)
{
	queue_empty(queue_of(o));
	kfree(queue_of(o));
}

/* ---- msgget */
static int queue_new(int key, uint64_t size, unsigned flags)
{
	struct msg_queue *q = kzalloc(sizeof(*q));
	int rc;

	if (!q)
		return -ENOMEM;
	q->qbytes = (uint64_t)MSGMNB;
	list_init(&q->messages);
	waitq_init(&q->senders);
	waitq_init(&q->receivers);
	rc = ipc_add(&ids, &q->ipc, key, flags);
	if (rc < 0)
		kfree(q);
	return rc;
}

long sys_msgget(const uint64_t a[6])
{
	return ipc_open(&ids, (int)a[0], 0, (unsigned)a[1]);
}

/* Waits at one of the queue's lists: 0, -EINTR (these calls never begin again), or -EIDRM. The queue is still there then. */
static int wait_at(struct msg_queue *q, struct waitq *at)
{
	int rc;

	q->ipc.refs++;
	rc = waitq_wait(at, TIME_FOREVER);
	if (q->ipc.gone)
		rc = -EIDRM;
	ipc_put(&ids, &q->ipc);
	return rc;
}

/* ---- msgsnd */
static bool fits(const struct msg_queue *q, uint64_t bytes)
{
	return bytes + q->cbytes <= q->qbytes && q->qnum + 1 <= q->qbytes;
}

static int wait_for_room(struct msg_queue *q, uint64_t bytes, unsigned flags)
{
	for (;;) {
		int rc = ipc_may(&q->ipc, 0222);

		if (rc < 0)
			return rc;
		if (fits(q, bytes))
			return 0;
		rc = flags & IPC_NOWAIT ? -EAGAIN : wait_at(q, &q->senders);
		if (rc < 0)
			return rc;
	}
}

static int send(int id, struct message *m, unsigned flags)
{
	struct ipc_object *o;
	struct msg_queue *q;
	int rc = ipc_find(&ids, id, &o);

	if (rc < 0)
		return rc;
	q = queue_of(o);
	rc = wait_for_room(q, m->bytes, flags);
	if (rc < 0)
		return rc;
	list_add_tail(&q->messages, &m->link);
	q->cbytes += m->bytes;
	q->qnum++;
	q->stime = ipc_now();
	q->lspid = IPC_PID;
	waitq_wake_all(&q->receivers);
	return 0;
}

long sys_msgsnd(const uint64_t a[6])
{
	struct message *m;
	int64_t type;
	int rc;

	if (get_user(&type, a[1]) < 0)
		return -EFAULT;
	if (a[2] > (uint64_t)MSGMAX || (int)a[0] < 0 || type < 1)
		return -EINVAL;
	m = kmalloc(sizeof(*m) + a[2]);
	if (!m)
		return -ENOMEM;
	m->type = type;
	m->bytes = a[2];
	rc = copy_from_user(m->text, a[1] + sizeof(type), a[2]);
	if (!rc)
		rc = send((int)a[0], m, (unsigned)a[3]);
	if (rc < 0)
		kfree(m);
	return rc;
}

/* ---- msgrcv */
static bool wanted(const struct message *m, int64_t type, unsigned flags)
{
	if (!type)
		return true;
	if (type < 0)
		return m->type <= (type == INT64_MIN ? INT64_MAX : -type);
	return (m->type == type) == !(flags & MSG_EXCEPT);
}

/* MSG_COPY: type is a position. Of messages up to a type, the lowest type's first. */
static struct message *choose(const struct msg_queue *q, int64_t type, unsigned flags)
{
	struct message *best = NULL;
	int64_t at = 0;

	list_for_each (m, &q->messages, struct message, link) {
		if (flags & MSG_COPY) {
			if (at++ == type)
				return m;
		} else if (wanted(m, type, flags)) {
			if (type >= 0)
				return m;
			if (!best || m->type < best->type)
				best = m;
		}
	}
	return best;
}

static int wait_for_message(struct msg_queue *q, int64_t type, unsigned flags, struct message **m)
{
	for (;;) {
		int rc = ipc_may(&q->ipc, 0444);

		if (rc < 0)
			return rc;
		*m = choose(q, type, flags);
		if (*m)
			return 0;
		rc = flags & IPC_NOWAIT ? -ENOMSG : wait_at(q, &q->receivers);
		if (rc < 0)
			return rc;
	}
}

static void take(struct msg_queue *q, struct message *m)
{
	list_del(&m->link);
	q->cbytes -= m->bytes;
	q->qnum--;
	q->rtime = ipc_now();
	q->lrpid = IPC_PID;
	waitq_wake_all(&q->senders);
}

static long deliver(const struct message *m, uptr_t to, uint64_t size)
{
	uint64_t n = m->bytes < size ? m->bytes : size;

	if (put_user(to, &m->type) < 0 || copy_to_user(to + sizeof(m->type), m->text, n) < 0)
		return -EFAULT;
	return (long)n;
}

long sys_msgrcv(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[4];
	struct ipc_object *o;
	struct msg_queue *q;
	struct message *m;
	long rc;

	if ((int)a[0] < 0 || (int64_t)a[2] < 0)
		return -EINVAL;
	if (flags & MSG_COPY && (flags & MSG_EXCEPT || !(flags & IPC_NOWAIT)))
		return -EINVAL;
	rc = ipc_find(&ids, (int)a[0], &o);
	if (rc < 0)
		return rc;
	q = queue_of(o);
	rc = wait_for_message(q, (int64_t)a[3], flags, &m);
	if (rc < 0)
		return rc;
	if (m->bytes > a[2] && !(flags & MSG_NOERROR))
		return -E2BIG;
	if (flags & MSG_COPY)
		return deliver(m, a[1], a[2]);
	take(q, m);
	rc = deliver(m, a[1], a[2]);
	kfree(m);
	return rc;
}

/* ---- msgctl */
static long msg_info(int cmd, uptr_t to)
{
	struct msginfo info = {
		.msgmax = (int)MSGMAX,
		.msgmnb = (int)MSGMNB,
		.msgmni = (int)MSGMNI,
		.msgssz = 16,
		.msgseg = 0xffff,
	};

	if (cmd == MSG_INFO) {
		info.msgpool = (int)ids.used;
		for (unsigned i = 0; i < ids.room; i++) {
			const struct msg_queue *q = ids.object[i] ? queue_of(ids.object[i]) : NULL;

			info.msgmap += q ? (int)q->qnum : 0;
			info.msgtql += q ? (int)q->cbytes : 0;
		}
	} else {
		info.msgmap = (int)MSGMNB;
		info.msgpool = (int)(MSGMNI * MSGMNB / 1024);
		info.msgtql = (int)MSGMNB;
	}
	return put_user(to, &info) < 0 ? -EFAULT : ipc_highest(&ids);
}

static void queue_fill(struct ipc_object *o, union ipc_ds *d)
{
	const struct msg_queue *q = queue_of(o);

	d->msg = (struct msqid_ds){.stime = q->stime,
		.rtime = q->rtime,
		.ctime = o->ctime,
		.cbytes = q->cbytes,
		.qnum = q->qnum,
		.qbytes = q->qbytes,
		.lspid = q->lspid,
		.lrpid = q->lrpid};
}

static void wake_all(struct msg_queue *q)
{
	waitq_wake_all(&q->receivers);
	waitq_wake_all(&q->senders);
}

/* Who may do what has changed then, and how much fits. */
static int queue_set(struct ipc_object *o, const union ipc_ds *to)
{
	int rc;

	if (to->msg.qbytes > (uint64_t)MSGMNB && !cred_has(CAP_SYS_RESOURCE))
		return -EPERM;
	rc = ipc_set(o, &to->perm);
	if (rc < 0)
		return rc;
	queue_of(o)->qbytes = to->msg.qbytes;
	wake_all(queue_of(o));
	return 0;
}

static void queue_remove(struct ipc_object *o)
{
	queue_empty(queue_of(o));
	wake_all(queue_of(o));
	ipc_remove(&ids, o);
}

long sys_msgctl(const uint64_t a[6])
{
	int id = (int)a[0], cmd = (int)a[1];

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case MSG_INFO:
		return msg_info(cmd, a[2]);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return ipc_stat(&ids, id, cmd != IPC_STAT, cmd == MSG_STAT_ANY, a[2]);
	case IPC_SET:
	case IPC_RMID:
		return ipc_change(&ids, id, cmd, a[2]);
	default: /* outside numbers */
		return -EINVAL;
	}
}

static void queue_line(struct text *t, struct ipc_object *o, const union ipc_ds *d)
{
	const struct msqid_ds *m = &d->msg;

	text_printf(t, " %10lu %10lu %5u %5u ", m->cbytes, m->qnum, (unsigned)m->lspid,
		(unsigned)m->lrpid);
	ipc_owners(t, &m->perm);
	text_printf(t, "%10ld %10ld %10ld\n", m->stime, m->rtime, m->ctime);
}

static const struct ipc_kind kind = {
	.ds_bytes = sizeof(struct msqid_ds),
	.make = queue_new,
	.fill = queue_fill,
	.set = queue_set,
	.remove = queue_remove,
	.free = queue_free,
	.head = "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  "
		"cuid  cgid      stime      rtime      ctime",
	.line = queue_line,
};

int proc_sysvipc_msg(struct text *t, uint64_t n)
{
	return ipc_table(&ids, t);
}
