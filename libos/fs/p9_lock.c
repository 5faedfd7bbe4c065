/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks on files of a volume, where other instances and programs of the host meet them. The server has one owner for each open fid: that of a
 * file is what its own locks are on; those of the process, whose files do not count, are on a fid for themselves, which is open while there are any.
 */
#include "libos/fs/p9fs.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"

/* The fid of the process's locks, with a reference. It may read and write if the file may. */
static int process_open(struct p9_inode *pi, const struct file *f, struct p9_open **o)
{
	struct p9_open *made;
	int rc = 0;

	if (!pi->locks) {
		rc = p9_open_new(pi, O_RDWR, &made);
		if (rc < 0)
			rc = p9_open_new(pi, f->flags & O_ACCMODE, &made);
		if (rc < 0)
			return rc;
		if (pi->locks) /* another thread was faster */
			p9_open_put(made);
		else
			pi->locks = made;
	}
	*o = pi->locks;
	(*o)->refs++;
	return 0;
}

static struct p9_call *begin(const struct p9_open *o, const struct outer_lock *l)
{
	struct p9_call *c = p9_begin(o->client, l->test ? P9_TGETLOCK : P9_TLOCK);

	if (!c)
		return NULL;
	p9_put32(c, o->fid);
	p9_put8(c,
		l->type == F_RDLCK           ? P9_LOCK_READ
			: l->type == F_WRLCK ? P9_LOCK_WRITE
					     : P9_LOCK_UNLOCK);
	if (!l->test)
		p9_put32(c, 0);
	p9_put64(c, (uint64_t)l->start);
	p9_put64(c, l->last == INT64_MAX ? 0 : (uint64_t)(l->last - l->start + 1));
	p9_put32(c, 0);
	if (l->whose == LOCK_WHOLE)
		p9_put_string(c, P9_LOCK_FLOCK, (uint32_t)strlen(P9_LOCK_FLOCK));
	else
		p9_put_string(c, "", 0);
	return c;
}

/* What stands in the way, as an Rgetlock tells it: -EAGAIN; or 0. */
static int told(struct p9_call *c, struct outer_lock *l)
{
	uint8_t type = p9_get8(c);
	uint64_t start = p9_get64(c), len = p9_get64(c);

	if (c->bad || start > INT64_MAX || len > INT64_MAX - start)
		return -EIO;
	if (type != P9_LOCK_READ && type != P9_LOCK_WRITE)
		return 0;
	l->type = type == P9_LOCK_READ ? F_RDLCK : F_WRLCK;
	l->start = (int64_t)start;
	l->last = len ? (int64_t)(start + len - 1) : INT64_MAX;
	return -EAGAIN;
}

static int send(const struct p9_open *o, struct outer_lock *l)
{
	struct p9_call *c = begin(o, l);
	int rc;

	if (!c)
		return -ENOLCK;
	rc = p9_run(c);
	if (!rc && l->test) {
		rc = told(c, l);
	} else if (!rc) {
		uint8_t status = p9_get8(c);

		rc = c->bad ? -EIO : status == P9_LOCK_SUCCESS ? 0 : -EAGAIN;
	}
	p9_end(c);
	return rc;
}

int p9_outer_lock(struct file *f, struct outer_lock *l)
{
	struct p9_inode *pi = p9_of(f->inode);
	struct p9_open *o = f->priv;
	bool again;
	int rc;

	if (!inode_is(f->inode, S_IFREG)) /* a folder's, a fifo's: nobody outside asks */
		return 0;
	if (l->whose != LOCK_PROCESS)
		return send(o, l);
	if (l->type == F_UNLCK && !pi->locks)
		return 0;
	do {
		rc = process_open(pi, f, &o);
		if (rc < 0)
			return rc;
		rc = send(o, l);
		again = !rc && pi->locks != o && l->type != F_UNLCK; /* given up meanwhile */
		p9_open_put(o);
	} while (again);
	return rc;
}

void p9_outer_unlock(struct inode *inode)
{
	struct p9_open *o = p9_of(inode)->locks;

	p9_of(inode)->locks = NULL;
	if (o)
		p9_open_put(o);
}
