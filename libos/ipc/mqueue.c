/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX message queues, their names and calls: mq_open(2), mq_unlink(2), mq_timedsend(2), mq_timedreceive(2), mq_notify(2), mq_getsetattr(2).
 * A name is a file of a tmpfs that is mounted nowhere, so permissions, owners and the sticky bit are the file system's; its inode is bound to
 * the queue (mqueue_data.c), which lives until the name is gone and the last descriptor closed.
 */
#include "libos/ipc/mqueue.h"

#include "libos/fs/fd.h"
#include "libos/fs/inode.h"
#include "libos/fs/perm.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/net/netlink.h"
#include "libos/sched/clock.h"
#include "libos/sched/signal.h"
#include "libos/sched/thread.h"
#include "libos/sys/cred.h"
#include "libos/sys/limits.h"
#include "libos/sys/syscall.h"
#include "libos/sys/sysctl.h"
#include "libos/uapi/time.h"

#define NAMES_MAX        65536
#define HARD_MSG_MAX     65536
#define HARD_MSGSIZE_MAX (16 << 20)
#define MQ_PRIO_MAX      32768
#define MESSAGE_COST     48 /* what Linux counts for a message, and for a priority, beside its text */
#define FILE_SIZE        80 /* st_size of a queue */

#define SIGEV_SIGNAL 0
#define SIGEV_NONE   1
#define SIGEV_THREAD 2

struct sigevent {
	uint64_t value;
	int32_t signo, notify, pad[12];
};

static unsigned queues;
static uint64_t bytes_used; /* against RLIMIT_MSGQUEUE */

/* ---- files */
static struct dentry *names(void)
{
	static struct super *sb;

	if (!sb && memfs_new("mqueue", NULL, 0, NAMES_MAX, &sb) < 0)
		return NULL;
	sb->root->inode->mode = S_IFDIR | S_ISVTX | 0777;
	sb->root->inode->owned = true;
	sb->root->inode->uid = sb->root->inode->gid = 0;
	return sb->root;
}

static uint64_t cost_of(const struct mq_attr *attr)
{
	uint64_t n = (uint64_t)attr->maxmsg;

	return n * (uint64_t)attr->msgsize +
		MESSAGE_COST * (n + (n < MQ_PRIO_MAX ? n : MQ_PRIO_MAX));
}

static void queue_drop(struct inode *inode)
{
	struct mqueue *q = inode->bound;

	inode->bound = NULL;
	queues--;
	bytes_used -= cost_of(&q->attr);
	mqueue_free(q);
}

static void mq_release(struct file *f)
{
	struct mqueue *q = f->priv;

	mqueue_forget_notice(q);
	if (!--q->files && !f->inode->nlink)
		queue_drop(f->inode);
}

static uint32_t mq_poll(struct file *f)
{
	return mqueue_poll(f->priv);
}

static struct pollable *mq_pollable(struct file *f)
{
	return &((struct mqueue *)f->priv)->pollable;
}

/* What a queue's file says: a line about its state. */
static long mq_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	const struct mqueue *q = f->priv;
	char line[FILE_SIZE];
	uint64_t at = pos ? *pos : 0;
	long n = snprintf(line, sizeof(line),
		"QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", q->bytes,
		q->noticed ? q->notice.notify : 0,
		q->noticed && q->notice.notify == SIGEV_SIGNAL ? q->notice.signo : 0, q->noticed);

	if (at >= (uint64_t)n)
		return 0;
	n = iter_put(it, line + at, (uint64_t)n - at);
	if (n > 0 && pos)
		*pos += (uint64_t)n;
	return n;
}

static long mq_seek(struct file *f, int64_t off, int whence)
{
	return file_seek_size(f, off, whence, FILE_SIZE);
}

/* As on Linux: what fstat says, and nothing else. */
static int mq_truncate(struct file *f, uint64_t size)
{
	f->inode->size = size;
	return 0;
}

static const struct file_ops mq_file_ops = {
	.name = "mqueue",
	.read = mq_read,
	.poll = mq_poll,
	.pollable = mq_pollable,
	.seek = mq_seek,
	.truncate = mq_truncate,
	.release = mq_release,
};

static struct mqueue *queue_at(const struct file *f)
{
	return f && f->ops == &mq_file_ops ? f->priv : NULL;
}

/* ---- mq_open, mq_unlink */
static int check_attr(const struct mq_attr *attr)
{
	bool big = cred_has(CAP_SYS_RESOURCE);

	if (attr->maxmsg <= 0 || attr->msgsize <= 0 ||
		attr->maxmsg > (big ? HARD_MSG_MAX : sysctl_value[SYSCTL_MQ_MSG_MAX]) ||
		attr->msgsize > (big ? HARD_MSGSIZE_MAX : sysctl_value[SYSCTL_MQ_MSGSIZE_MAX]))
		return -EINVAL;
	return bytes_used + cost_of(attr) > rlimit_soft(RLIMIT_MSGQUEUE) ? -EMFILE : 0;
}

static int64_t least(enum sysctl a, enum sysctl b)
{
	return sysctl_value[a] < sysctl_value[b] ? sysctl_value[a] : sysctl_value[b];
}

static int queue_make(struct dentry *root, const char *name, uint32_t mode,
	const struct mq_attr *given, struct dentry **d)
{
	struct mq_attr attr = {
		.maxmsg = least(SYSCTL_MQ_MSG_MAX, SYSCTL_MQ_MSG_DEFAULT),
		.msgsize = least(SYSCTL_MQ_MSGSIZE_MAX, SYSCTL_MQ_MSGSIZE_DEFAULT),
	};
	struct mqueue *q;
	int rc;

	if (given) {
		attr.maxmsg = given->maxmsg;
		attr.msgsize = given->msgsize;
	}
	if ((int64_t)queues >= sysctl_value[SYSCTL_MQ_QUEUES] && !cred_has(CAP_SYS_RESOURCE))
		return -ENOSPC;
	rc = check_attr(&attr);
	if (rc < 0)
		return rc;
	q = mqueue_new(&attr);
	if (!q)
		return -ENOMEM;
	rc = root->inode->ops->create(root, name, (unsigned)strlen(name),
		S_IFREG | (mode & 07777 & ~vfs_umask), 0, NULL, d);
	if (rc < 0) {
		mqueue_free(q);
		return rc;
	}
	(*d)->inode->bound = q;
	(*d)->inode->size = FILE_SIZE;
	queues++;
	bytes_used += cost_of(&attr);
	return 0;
}

/* The name as mq_open(2) and mq_unlink(2) take it, without the slash that the C libraries cut off. */
static int name_get(uptr_t from, char name[NAME_MAX + 1])
{
	struct upath path;
	int rc = upath_get(&path, from, false);

	if (rc < 0)
		return rc;
	if (!strcmp(path.text, ".") || !strcmp(path.text, "..") || strchr(path.text, '/'))
		rc = -EACCES;
	else if (strlcpy(name, path.text, NAME_MAX + 1) > NAME_MAX)
		rc = -ENAMETOOLONG;
	upath_put(&path);
	return rc;
}

static int open_queue(const char *name, unsigned flags, uint32_t mode, const struct mq_attr *attr,
	struct file **file)
{
	struct dentry *root = names(), *d;
	unsigned access = flags & O_ACCMODE;
	bool made = false;
	int rc = 0;

	if (!root)
		return -ENOMEM;
	d = dentry_find(root, name, (unsigned)strlen(name));
	if (!d) {
		rc = flags & O_CREAT ? queue_make(root, name, mode, attr, &d) : -ENOENT;
		if (rc < 0)
			return rc;
		made = true;
	} else if (flags & O_CREAT && flags & O_EXCL) {
		rc = -EEXIST;
	} else if (access == (O_WRONLY | O_RDWR)) {
		rc = -EINVAL;
	} else {
		rc = inode_may(d->inode,
			(access != O_WRONLY ? MAY_READ : 0) | (access != O_RDONLY ? MAY_WRITE : 0));
	}
	if (!rc) /* the permissions of a name that was just made say nothing */
		rc = dentry_open_made(d, access | (flags & O_NONBLOCK), file);
	if (!rc) {
		(*file)->ops = &mq_file_ops;
		(*file)->priv = d->inode->bound;
		((struct mqueue *)d->inode->bound)->files++;
	} else if (made) {
		root->inode->ops->unlink(d);
		queue_drop(d->inode);
	}
	dentry_put(d);
	return rc;
}

long sys_mq_open(const uint64_t a[6])
{
	char name[NAME_MAX + 1];
	struct mq_attr attr;
	struct file *f;
	int rc;

	if (a[3] && get_user(&attr, a[3]) < 0)
		return -EFAULT;
	rc = name_get(a[0], name);
	if (rc < 0)
		return rc;
	if (!fd_room())
		return -EMFILE;
	rc = open_queue(name, (unsigned)a[1], (uint32_t)a[2], a[3] ? &attr : NULL, &f);
	return rc < 0 ? rc : fd_install_new(f, true);
}

long sys_mq_unlink(const uint64_t a[6])
{
	char name[NAME_MAX + 1];
	struct dentry *root = names(), *d;
	int rc = name_get(a[0], name);

	if (rc < 0)
		return rc;
	d = root ? dentry_find(root, name, (unsigned)strlen(name)) : NULL;
	if (!d)
		return -ENOENT;
	rc = dir_may_remove(d);
	if (!rc)
		rc = root->inode->ops->unlink(d);
	if (!rc && !((struct mqueue *)d->inode->bound)->files)
		queue_drop(d->inode);
	dentry_put(d);
	return rc;
}

/* ---- messages */

/* An absolute time of CLOCK_REALTIME, as a deadline; 0: none. */
static int read_deadline(uptr_t from, uint64_t *deadline)
{
	uint64_t ns, real = clock_real_ns(), now = clock_mono_ns();
	struct timespec ts;

	*deadline = TIME_FOREVER;
	if (!from)
		return 0;
	if (get_user(&ts, from) < 0)
		return -EFAULT;
	if (timespec_read(&ts, &ns) < 0)
		return -EINVAL;
	if (ns <= real)
		*deadline = now;
	else if (ns - real < TIME_FOREVER - now)
		*deadline = now + (ns - real);
	return 0;
}

static long send_at(struct file *f, const uint64_t a[6], uint64_t deadline)
{
	struct mqueue *q = f->priv;
	struct mq_message *m;
	uint64_t n = a[2];
	int rc;

	if (n > (uint64_t)q->attr.msgsize)
		return -EMSGSIZE;
	m = kmalloc(sizeof(*m) + n);
	if (!m)
		return -ENOMEM;
	m->bytes = n;
	m->prio = (uint32_t)a[3];
	rc = copy_from_user(m->text, a[1], n);
	if (!rc)
		rc = mqueue_send(q, m, f->flags & O_NONBLOCK, deadline);
	if (rc < 0)
		kfree(m);
	return rc;
}

static long receive_at(struct file *f, const uint64_t a[6], uint64_t deadline)
{
	struct mqueue *q = f->priv;
	struct mq_message *m;
	uptr_t to = a[1], uprio = a[3];
	long rc;

	if (a[2] < (uint64_t)q->attr.msgsize)
		return -EMSGSIZE;
	rc = mqueue_receive(q, &m, f->flags & O_NONBLOCK, deadline);
	if (rc < 0)
		return rc;
	rc = (long)m->bytes;
	if ((uprio && put_user(uprio, &m->prio) < 0) || copy_to_user(to, m->text, m->bytes) < 0)
		rc = -EFAULT;
	kfree(m);
	return rc;
}

/* A message at the descriptor's queue, until the time in a[4], unless it is not open for that (O_RDONLY, O_WRONLY). */
static long transfer(const uint64_t a[6], unsigned closed_for,
	long (*how)(struct file *f, const uint64_t a[6], uint64_t deadline), uint64_t deadline)
{
	struct file *f = fd_file((int)a[0]);
	long rc;

	if (!queue_at(f) || (f->flags & O_ACCMODE) == closed_for)
		return -EBADF;
	file_get(f);
	rc = how(f, a, deadline);
	file_put(f);
	return rc;
}

long sys_mq_timedsend(const uint64_t a[6])
{
	uint64_t deadline;
	int rc = read_deadline(a[4], &deadline);

	if (rc < 0)
		return rc;
	return (unsigned)a[3] >= MQ_PRIO_MAX ? -EINVAL : transfer(a, O_RDONLY, send_at, deadline);
}

long sys_mq_timedreceive(const uint64_t a[6])
{
	uint64_t deadline;
	int rc = read_deadline(a[4], &deadline);

	return rc < 0 ? rc : transfer(a, O_WRONLY, receive_at, deadline);
}

long sys_mq_getsetattr(const uint64_t a[6])
{
	struct mq_attr attr, now;
	struct file *f = fd_file((int)a[0]);
	struct mqueue *q = queue_at(f);

	if (a[1] && get_user(&attr, a[1]) < 0)
		return -EFAULT;
	if (a[1] && attr.flags & ~(int64_t)O_NONBLOCK)
		return -EINVAL;
	if (!q)
		return -EBADF;
	now = q->attr;
	now.flags = f->flags & O_NONBLOCK;
	now.curmsgs = (int64_t)q->count;
	if (a[1])
		f->flags = (f->flags & ~O_NONBLOCK) | (unsigned)attr.flags;
	return a[2] ? put_user(a[2], &now) : 0;
}

/* ---- mq_notify */

/* SIGEV_THREAD: the C library waits at a netlink socket for the cookie that it gives. */
static int notice_by_socket(struct mq_notice *n, const struct sigevent *e)
{
	struct file *f = fd_file(e->signo);

	if (copy_from_user(n->cookie, e->value, sizeof(n->cookie)) < 0)
		return -EFAULT;
	if (!f)
		return -EBADF;
	n->socket = f;
	return netlink_is(f);
}

long sys_mq_notify(const uint64_t a[6])
{
	struct mq_notice notice = {0};
	struct sigevent e;
	struct mqueue *q;
	int rc;

	if (a[1] && get_user(&e, a[1]) < 0)
		return -EFAULT;
	if (a[1]) {
		if (e.notify < SIGEV_SIGNAL || e.notify > SIGEV_THREAD)
			return -EINVAL;
		if (e.notify == SIGEV_SIGNAL && (e.signo < 0 || e.signo > SIGNALS))
			return -EINVAL;
		notice.notify = e.notify;
		notice.signo = e.signo;
		notice.value = e.value;
		rc = e.notify == SIGEV_THREAD ? notice_by_socket(&notice, &e) : 0;
		if (rc < 0)
			return rc;
	}
	q = queue_at(fd_file((int)a[0]));
	if (!q)
		return -EBADF;
	if (!a[1]) {
		mqueue_forget_notice(q);
		return 0;
	}
	if (q->noticed)
		return -EBUSY;
	q->notice = notice;
	q->noticed = true;
	if (notice.socket)
		file_get(notice.socket);
	return 0;
}
