/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dentries: one hash of all names that are in memory, keyed by parent and name. The table doubles as it fills, so that a directory of
 * 10,000 names costs no more per lookup than one of ten. Life of a dentry: inode.h.
 */
#include "libos/fs/inode.h"
#include "libos/fs/notify.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"

#define BUCKETS_FIRST 256u

static struct dentry *first_buckets[BUCKETS_FIRST];
static struct dentry **buckets = first_buckets;
static uint32_t nbuckets = BUCKETS_FIRST, nhashed;

/* FNV-1a over the name, mixed with the parent's address. */
static uint32_t name_hash(const struct dentry *parent, const char *name, unsigned len)
{
	uint64_t h = 0xcbf29ce484222325ull ^ ((uint64_t)parent >> 4);

	for (unsigned i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * 0x100000001b3ull;
	return (uint32_t)(h ^ (h >> 32));
}

/* Best effort: without memory the chains just get longer. */
static void table_grow(void)
{
	uint32_t n = nbuckets * 2;
	struct dentry **to = kzalloc(n * sizeof(*to));

	if (!to)
		return;
	for (uint32_t i = 0; i < nbuckets; i++) {
		struct dentry *d = buckets[i], *next;

		for (; d; d = next) {
			next = d->hash_next;
			d->hash_next = to[d->hash & (n - 1)];
			to[d->hash & (n - 1)] = d;
		}
	}
	if (buckets != first_buckets)
		kfree(buckets);
	buckets = to;
	nbuckets = n;
}

void dentry_hash(struct dentry *d)
{
	struct dentry **b;

	kassert(!(d->flags & D_HASHED));
	if (nhashed >= nbuckets)
		table_grow();
	d->hash = name_hash(d->parent, d->name, d->len);
	b = &buckets[d->hash & (nbuckets - 1)];
	d->hash_next = *b;
	*b = d;
	d->flags |= D_HASHED;
	nhashed++;
}

void dentry_unhash(struct dentry *d)
{
	struct dentry **b = &buckets[d->hash & (nbuckets - 1)];

	if (!(d->flags & D_HASHED))
		return;
	while (*b != d)
		b = &(*b)->hash_next;
	*b = d->hash_next;
	d->hash_next = NULL;
	d->flags &= (uint8_t)~D_HASHED;
	nhashed--;
}

struct dentry *dentry_find(struct dentry *parent, const char *name, unsigned len)
{
	uint32_t h = name_hash(parent, name, len);

	for (struct dentry *d = buckets[h & (nbuckets - 1)]; d; d = d->hash_next) {
		if (d->hash == h && d->parent == parent && d->len == len &&
			!memcmp(d->name, name, len))
			return dentry_get(d);
	}
	return NULL;
}

int dentry_name_alloc(unsigned len, char **heap)
{
	*heap = NULL;
	if (len < sizeof(((struct dentry *)0)->small))
		return 0;
	*heap = kmalloc(len + 1);
	return *heap ? 0 : -ENOMEM;
}

static void name_set(struct dentry *d, const char *name, unsigned len, char *heap)
{
	d->name = heap ? heap : d->small;
	memcpy(d->name, name, len);
	d->name[len] = 0;
	d->len = (uint8_t)len;
}

static void name_free(struct dentry *d)
{
	if (d->name != d->small)
		kfree(d->name);
}

struct dentry *dentry_new(
	struct dentry *parent, const char *name, unsigned len, struct inode *inode)
{
	struct dentry *d = kzalloc(sizeof(*d));
	char *heap;

	if (!d)
		return NULL;
	if (dentry_name_alloc(len, &heap) < 0) {
		kfree(d);
		return NULL;
	}
	name_set(d, name, len, heap);
	d->refs = 1;
	d->inode = inode ? inode_get(inode) : NULL;
	d->parent = parent ? dentry_get(parent) : d;
	if (parent)
		dentry_hash(d);
	return d;
}

void dentry_put(struct dentry *d)
{
	while (d && !--d->refs) {
		struct dentry *parent = d->parent != d ? d->parent : NULL;

		dentry_unhash(d);
		notify_gone(d->inode);
		inode_put(d->inode);
		name_free(d);
		kfree(d);
		d = parent;
	}
}

void dentry_move(
	struct dentry *d, struct dentry *parent, const char *name, unsigned len, char *heap)
{
	struct dentry *old = d->parent;

	name_free(d);
	name_set(d, name, len, heap);
	d->parent = dentry_get(parent);
	if (old != d)
		dentry_put(old);
	dentry_hash(d);
}

void dentry_swap(struct dentry *a, struct dentry *b)
{
	struct dentry tmp = *a;

	dentry_unhash(a);
	dentry_unhash(b);
	a->parent = b->parent;
	a->name = b->name == b->small ? a->small : b->name;
	memcpy(a->small, b->small, sizeof(a->small));
	a->len = b->len;
	a->slot = b->slot;
	b->parent = tmp.parent;
	b->name = tmp.name == a->small ? b->small : tmp.name;
	memcpy(b->small, tmp.small, sizeof(b->small));
	b->len = tmp.len;
	b->slot = tmp.slot;
	dentry_hash(a);
	dentry_hash(b);
}

void dentry_pin(struct dentry *d)
{
	if (d->flags & D_PINNED)
		return;
	d->flags |= D_PINNED;
	d->refs++;
}

void dentry_unpin(struct dentry *d)
{
	if (!(d->flags & D_PINNED))
		return;
	d->flags &= (uint8_t)~D_PINNED;
	dentry_put(d);
}

/* One step up, across mounts; the root of all gives itself. */
static struct dentry *dentry_up(struct dentry *d)
{
	while (d->parent == d && d->covers)
		d = d->covers;
	return d->parent;
}

bool dentry_below(struct dentry *d, struct dentry *anc)
{
	for (;;) {
		struct dentry *up;

		if (d == anc)
			return true;
		up = dentry_up(d);
		if (up == d)
			return false;
		d = up;
	}
}

/* The text in buf[at, size) is a path from the machine's root, which is not the program's (chroot). */
static long put_unreachable(char *buf, size_t at, size_t size)
{
	static const char mark[] = "(unreachable)";
	size_t n = sizeof(mark) - 1;

	if (at == size - 1 && at)
		buf[--at] = '/';
	if (at < n)
		return -ENAMETOOLONG;
	at -= n;
	memcpy(buf + at, mark, n);
	memmove(buf, buf + at, size - at);
	return (long)(size - at - 1);
}

long dentry_path(struct dentry *d, char *buf, size_t size, bool *deleted)
{
	size_t at = size;

	*deleted = false;
	if (d->parent == d && !d->covers &&
		d != d->inode->sb->root) { /* no place in the tree: its name is all */
		*deleted = true;
		if (d->len + 1u > size)
			return -ENAMETOOLONG;
		memcpy(buf, d->name, d->len + 1u);
		return d->len;
	}
	if (!size)
		return -ENAMETOOLONG;
	buf[--at] = 0;
	while (d != vfs_root) {
		if (d->parent == d && d->covers) {
			d = d->covers;
			continue;
		}
		if (d->parent == d)
			return put_unreachable(buf, at, size);
		if (!(d->flags & D_HASHED))
			*deleted = true;
		if (at < d->len + 1u)
			return -ENAMETOOLONG;
		at -= d->len;
		memcpy(buf + at, d->name, d->len);
		buf[--at] = '/';
		d = d->parent;
	}
	if (at == size - 1) {
		if (!at)
			return -ENAMETOOLONG;
		buf[--at] = '/';
	}
	memmove(buf, buf + at, size - at);
	return (long)(size - at - 1);
}
