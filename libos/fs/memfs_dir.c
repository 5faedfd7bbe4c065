/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of tmpfs. A directory's own names are dentries, hashed and pinned, each in a slot of its inode's array; a free slot is used
 * again, so positions (d_off) of others never change. Names of the image are seen unless a hashed dentry that is not D_LOWER has the
 * same name: another file, or a whiteout (a dentry without inode). Enumeration shows the image's names first, then the slots.
 */
#include "libos/fs/memfs.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"

#define POS_OWN (1ull << 48) /* positions of slots begin here; the image's are below */

/* ---- slots */
static bool slot_is_free(const struct dentry *p)
{
	return (uintptr_t)p & 1;
}

static int slot_reserve(struct memfs_inode *dir, uint32_t *index)
{
	if (!dir->free_slot) {
		uint32_t n = dir->nslots ? dir->nslots * 2 : 8;
		struct dentry **s = krealloc(dir->slot, n * sizeof(struct dentry *));

		if (!s)
			return -ENOMEM;
		dir->slot = s;
		for (uint32_t i = n; i-- > dir->nslots;) {
			s[i] = (struct dentry *)((uintptr_t)dir->free_slot << 1 | 1);
			dir->free_slot = i + 1;
		}
		dir->nslots = n;
	}
	*index = dir->free_slot;
	dir->free_slot = (uint32_t)((uintptr_t)dir->slot[*index - 1] >> 1);
	dir->slot[*index - 1] = (struct dentry *)1;
	return 0;
}

static void slot_free(struct memfs_inode *dir, uint32_t index)
{
	if (!index)
		return;
	dir->slot[index - 1] = (struct dentry *)((uintptr_t)dir->free_slot << 1 | 1);
	dir->free_slot = index;
}

static void slot_set(struct dentry *d, uint32_t index)
{
	d->slot = index;
	memfs_of(d->parent->inode)->slot[index - 1] = d;
	dentry_pin(d);
}

/* ---- lookup */
int memfs_lookup(
	struct inode *dir, const char *name, unsigned len, struct inode **inode, bool *lower)
{
	struct memfs_inode *mi = memfs_of(dir);
	uint64_t nid;
	int rc;

	if (!mi->has_lower || !dir->nlink)
		return -ENOENT;
	rc = erofs_lookup(&memfs_super_of(dir)->image, &mi->lower, name, len, &nid);
	if (rc < 0)
		return rc == -ENOENT ? rc : -EIO;
	*lower = true;
	return memfs_iget(memfs_super_of(dir), nid, inode);
}

static bool lower_has(struct dentry *dir, const char *name, unsigned len)
{
	struct memfs_inode *mi = memfs_of(dir->inode);
	uint64_t nid;

	return mi->has_lower &&
		!erofs_lookup(&memfs_super_of(dir->inode)->image, &mi->lower, name, len, &nid);
}

/* ---- names */
int memfs_name_add(struct dentry *dir, const char *name, unsigned len, struct inode *inode,
	struct dentry **dentry)
{
	struct dentry *d = dentry_find(dir, name, len);
	uint32_t slot;
	int rc;

	if (!dir->inode->nlink) {
		dentry_put(d);
		return -ENOENT;
	}
	if (d) { /* a whiteout */
		kassert(!d->inode && d->slot);
		d->inode = inode_get(inode);
	} else {
		rc = slot_reserve(memfs_of(dir->inode), &slot);
		if (rc < 0)
			return rc;
		d = dentry_new(dir, name, len, inode);
		if (!d) {
			slot_free(memfs_of(dir->inode), slot);
			return -ENOMEM;
		}
		slot_set(d, slot);
	}
	memfs_touch(dir->inode);
	inode_modified(dir->inode);
	*dentry = d;
	return 0;
}

/* A directory is gone: its whiteouts go too. */
static void whiteouts_drop(struct memfs_inode *dir)
{
	for (uint32_t i = 0; i < dir->nslots; i++) {
		struct dentry *d = dir->slot[i];

		if (slot_is_free(d))
			continue;
		dentry_unhash(d);
		d->slot = 0;
		slot_free(dir, i + 1);
		dentry_unpin(d);
	}
}

/* The inode behind a removed name loses a link. */
static void inode_unlinked(struct dentry *d)
{
	struct inode *inode = d->inode;

	inode_changed(inode);
	if (inode_is(inode, S_IFDIR)) {
		d->parent->inode->nlink--;
		whiteouts_drop(memfs_of(inode));
		inode->nlink = 0;
	} else if (inode->nlink) {
		inode->nlink--;
	}
	if (!inode->nlink && memfs_of(inode)->pinned) {
		memfs_of(inode)->pinned = false;
		inode_put(inode); /* not the last: d has one */
	} else if (inode->nlink) {
		memfs_touch(inode);
	}
}

/* Makes a whiteout that has the place (parent, name) of d, when the image has that name; it is not hashed yet. *w NULL: none is needed. */
static int whiteout_prepare(struct dentry *d, struct dentry **w)
{
	*w = NULL;
	if (!lower_has(d->parent, d->name, d->len))
		return 0;
	*w = dentry_new(NULL, d->name, d->len, NULL);
	if (!*w)
		return -ENOMEM;
	(*w)->parent = dentry_get(d->parent);
	return 0;
}

/* Puts the whiteout (or nothing) in the slot that is left over; takes w. */
static void whiteout_place(struct dentry *w, struct memfs_inode *dir, uint32_t slot)
{
	if (!w) {
		slot_free(dir, slot);
		return;
	}
	dentry_hash(w);
	slot_set(w, slot);
	dentry_put(w);
}

/* d's slot, or a new one when it has none and a whiteout needs it. */
static int slot_for_whiteout(struct dentry *d, const struct dentry *w, uint32_t *slot)
{
	*slot = d->slot;
	return d->slot || !w ? 0 : slot_reserve(memfs_of(d->parent->inode), slot);
}

int memfs_unlink(struct dentry *d)
{
	struct inode *dir = d->parent->inode;
	struct dentry *w;
	uint32_t slot;
	int rc = whiteout_prepare(d, &w);

	if (rc < 0)
		return rc;
	rc = slot_for_whiteout(d, w, &slot);
	if (rc < 0) {
		dentry_put(w);
		return rc;
	}
	dentry_unhash(d);
	d->slot = 0;
	whiteout_place(w, memfs_of(dir), slot);
	inode_unlinked(d);
	memfs_touch(dir);
	inode_modified(dir);
	dentry_unpin(d); /* not the last reference: the caller's */
	return 0;
}

/* ---- rename */
static int own_slot(struct dentry *d)
{
	uint32_t slot;
	int rc = d->slot ? 0 : slot_reserve(memfs_of(d->parent->inode), &slot);

	if (!rc && !d->slot)
		slot_set(d, slot);
	return rc;
}

static void nlink_moved(struct dentry *d, struct dentry *from, struct dentry *to)
{
	if (inode_is(d->inode, S_IFDIR) && from != to) {
		from->inode->nlink--;
		to->inode->nlink++;
	}
}

static int exchange_names(struct dentry *a, struct dentry *b)
{
	struct dentry *pa = a->parent, *pb = b->parent;
	int rc = own_slot(a);

	if (!rc)
		rc = own_slot(b);
	if (rc < 0)
		return rc;
	dentry_swap(a, b);
	slot_set(a, a->slot);
	slot_set(b, b->slot);
	a->flags &= (uint8_t)~D_LOWER;
	b->flags &= (uint8_t)~D_LOWER;
	nlink_moved(a, pa, pb);
	nlink_moved(b, pb, pa);
	return 0;
}

struct rename {
	struct dentry *whiteout; /* for the old place */
	struct dentry *
		replaced; /* what stands at the new place: target, a whiteout, or NULL; with a reference */
	uint32_t old_slot, new_slot;
	char *heap;
};

static void rename_undo(struct rename *r, struct dentry *from, struct dentry *dir)
{
	dentry_put(r->whiteout);
	if (r->old_slot && !from->slot)
		slot_free(memfs_of(from->parent->inode), r->old_slot);
	if (r->new_slot && !(r->replaced && r->replaced->slot))
		slot_free(memfs_of(dir->inode), r->new_slot);
	dentry_put(r->replaced);
	kfree(r->heap);
}

/* All that may fail, before anything is changed. */
static int rename_prepare(
	struct rename *r, struct dentry *from, struct dentry *dir, const char *name, unsigned len)
{
	int rc = whiteout_prepare(from, &r->whiteout);

	if (!rc)
		rc = slot_for_whiteout(from, r->whiteout, &r->old_slot);
	if (!rc)
		rc = dentry_name_alloc(len, &r->heap);
	if (rc < 0)
		return rc;
	r->replaced = dentry_find(dir, name, len);
	if (r->replaced && r->replaced->slot)
		r->new_slot = r->replaced->slot;
	else
		rc = slot_reserve(memfs_of(dir->inode), &r->new_slot);
	return rc;
}

int memfs_rename(struct dentry *from, struct dentry *dir, const char *name, unsigned len,
	struct dentry *target, bool exchange)
{
	struct dentry *old_dir = dentry_get(from->parent);
	struct rename r = {0};
	int rc;

	rc = exchange ? exchange_names(from, target) : rename_prepare(&r, from, dir, name, len);
	if (rc < 0 || exchange)
		goto out;
	dentry_unhash(from);
	from->slot = 0;
	if (r.replaced) {
		dentry_unhash(r.replaced);
		r.replaced->slot = 0;
		if (r.replaced->inode)
			inode_unlinked(r.replaced);
		dentry_unpin(r.replaced);
		dentry_put(r.replaced);
	}
	whiteout_place(r.whiteout, memfs_of(old_dir->inode), r.old_slot);
	dentry_move(from, dir, name, len, r.heap);
	from->flags &= (uint8_t)~D_LOWER;
	slot_set(from, r.new_slot);
	nlink_moved(from, old_dir, dir);
out:
	if (rc < 0 && !exchange) {
		rename_undo(&r, from, dir);
	} else if (!rc) {
		memfs_touch(old_dir->inode);
		memfs_touch(dir->inode);
		memfs_touch(from->inode);
		inode_modified(old_dir->inode);
		inode_modified(dir->inode);
		inode_changed(from->inode);
	}
	dentry_put(old_dir);
	return rc;
}

/* ---- enumeration */
static bool masked(struct dentry *dir, const char *name, unsigned len)
{
	struct dentry *d = dentry_find(dir, name, len);
	bool yes = d && !(d->flags & D_LOWER);

	dentry_put(d);
	return yes;
}

bool memfs_empty(struct dentry *dir)
{
	struct memfs_inode *mi = memfs_of(dir->inode);
	struct erofs_entry e = {0};

	for (uint32_t i = 0; i < mi->nslots; i++) {
		if (!slot_is_free(mi->slot[i]) && mi->slot[i]->inode)
			return false;
	}
	while (mi->has_lower) {
		int rc = erofs_readdir(&memfs_super_of(dir->inode)->image, &mi->lower, e.next, &e);

		if (rc <= 0)
			break;
		if (!masked(dir, e.name, e.len))
			return false;
	}
	return true;
}

/* The image's names, from position pos on; 1: the buffer is full. */
static int fill_lower(struct file *f, uint64_t pos, struct dir_sink *sink)
{
	struct memfs_inode *mi = memfs_of(f->inode);
	struct erofs_entry e = {.next = pos - DIR_POS_FIRST};

	for (;;) {
		int rc = erofs_readdir(&memfs_super_of(f->inode)->image, &mi->lower, e.next, &e);

		if (rc <= 0)
			return rc < 0 ? -EIO : 0;
		if (masked(f->dentry, e.name, e.len))
			continue;
		if (!dir_emit(sink, e.name, e.len, e.nid + 1, e.type, e.next + DIR_POS_FIRST))
			return 1;
	}
}

static int memfs_fill(struct file *f, uint64_t pos, struct dir_sink *sink)
{
	struct memfs_inode *mi = memfs_of(f->inode);
	int rc;

	if (!f->inode->nlink)
		return 0;
	if (pos < POS_OWN) {
		rc = mi->has_lower ? fill_lower(f, pos, sink) : 0;
		if (rc)
			return rc < 0 ? rc : 0;
		pos = POS_OWN;
	}
	for (uint64_t i = pos - POS_OWN; i < mi->nslots; i++) {
		struct dentry *d = mi->slot[i];

		if (slot_is_free(d) || !d->inode)
			continue;
		if (!dir_emit(sink, d->name, d->len, d->inode->ino, dir_type(d->inode->mode),
			    POS_OWN + i + 1))
			break;
	}
	return 0;
}

static long memfs_getdents(struct file *f, uptr_t buf, size_t size)
{
	return dir_getdents(f, buf, size, memfs_fill);
}

static int dir_sync(struct file *f, bool data_only)
{
	return 0;
}

const struct file_ops memfs_dir_ops = {
	.name = "dir",
	.read = dir_read,
	.seek = dir_seek,
	.getdents = memfs_getdents,
	.sync = dir_sync,
};
