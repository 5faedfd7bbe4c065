/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of areas. Recursion is as deep as the tree is high: below 24 for VMAS_MAX nodes. */
#include "libos/mem/vma.h"

#include "libos/mem/page.h"

static int height(const struct vma *v)
{
	return v ? v->height : 0;
}

static uint64_t max_hole(const struct vma *v)
{
	return v ? v->max_hole : 0;
}

static uint64_t hole(const struct vma *v)
{
	uptr_t from = v->prev ? v->prev->end : VMA_MIN;

	return v->start > from ? v->start - from : 0;
}

static void update(struct vma *v)
{
	int l = height(v->left), r = height(v->right);
	uint64_t most = hole(v);

	if (max_hole(v->left) > most)
		most = v->left->max_hole;
	if (max_hole(v->right) > most)
		most = v->right->max_hole;
	v->max_hole = most;
	v->height = (l > r ? l : r) + 1;
}

static struct vma *rotate_right(struct vma *v)
{
	struct vma *l = v->left;

	v->left = l->right;
	l->right = v;
	update(v);
	update(l);
	return l;
}

static struct vma *rotate_left(struct vma *v)
{
	struct vma *r = v->right;

	v->right = r->left;
	r->left = v;
	update(v);
	update(r);
	return r;
}

static struct vma *balance(struct vma *v)
{
	int lean = height(v->left) - height(v->right);

	update(v);
	if (lean > 1) {
		if (height(v->left->left) < height(v->left->right))
			v->left = rotate_left(v->left);
		return rotate_right(v);
	}
	if (lean < -1) {
		if (height(v->right->right) < height(v->right->left))
			v->right = rotate_right(v->right);
		return rotate_left(v);
	}
	return v;
}

static struct vma *insert(struct vma *node, struct vma *vma)
{
	if (!node)
		return vma;
	if (vma->start < node->start)
		node->left = insert(node->left, vma);
	else
		node->right = insert(node->right, vma);
	return balance(node);
}

/* Takes the leftmost node out of a subtree. */
static struct vma *take_first(struct vma *node, struct vma **first)
{
	if (!node->left) {
		*first = node;
		return node->right;
	}
	node->left = take_first(node->left, first);
	return balance(node);
}

static struct vma *removed(struct vma *node, const struct vma *vma)
{
	struct vma *first;

	if (vma->start < node->start) {
		node->left = removed(node->left, vma);
	} else if (vma->start > node->start) {
		node->right = removed(node->right, vma);
	} else {
		if (!node->left || !node->right)
			return node->left ? node->left : node->right;
		node->right = take_first(node->right, &first);
		first->left = node->left;
		first->right = node->right;
		node = first;
	}
	return balance(node);
}

/* Updates the nodes from the root to vma. */
static void refresh(struct vma *node, const struct vma *vma)
{
	if (vma->start < node->start)
		refresh(node->left, vma);
	else if (vma->start > node->start)
		refresh(node->right, vma);
	update(node);
}

struct vma *vma_find(const struct vma_tree *t, uptr_t addr)
{
	struct vma *node = t->root, *best = NULL;

	while (node) {
		if (addr < node->end) {
			best = node;
			if (addr >= node->start)
				break;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return best;
}

void vma_insert(struct vma_tree *t, struct vma *vma)
{
	struct vma *next = vma_find(t, vma->start);

	vma->next = next;
	vma->prev = next ? next->prev : t->last;
	*(vma->prev ? &vma->prev->next : &t->first) = vma;
	*(next ? &next->prev : &t->last) = vma;
	vma->left = vma->right = NULL;
	update(vma);
	t->root = insert(t->root, vma);
	t->count++;
	if (next)
		refresh(t->root, next);
}

void vma_remove(struct vma_tree *t, struct vma *vma)
{
	t->root = removed(t->root, vma);
	*(vma->prev ? &vma->prev->next : &t->first) = vma->next;
	*(vma->next ? &vma->next->prev : &t->last) = vma->prev;
	t->count--;
	if (vma->next)
		refresh(t->root, vma->next);
}

void vma_moved(struct vma_tree *t, struct vma *vma)
{
	refresh(t->root, vma);
	if (vma->next)
		refresh(t->root, vma->next);
}

/* The rightmost hole in the subtree that has room below top. */
static uptr_t search(const struct vma *node, uint64_t len, uptr_t top)
{
	uptr_t from, to, found;

	if (!node || node->max_hole < len)
		return 0;
	if (node->start < top) {
		found = search(node->right, len, top);
		if (found)
			return found;
	}
	from = node->prev ? node->prev->end : VMA_MIN;
	to = node->start < top ? node->start : top;
	if (to > from && to - from >= len)
		return to - len;
	return search(node->left, len, top);
}

uptr_t vma_find_hole(const struct vma_tree *t, uint64_t len, uptr_t top)
{
	uptr_t from = t->last ? t->last->end : VMA_MIN;

	if (top > from && top - from >= len)
		return top - len;
	return search(t->root, len, top);
}

bool vma_is_free(const struct vma_tree *t, uptr_t start, uptr_t end)
{
	const struct vma *v = vma_find(t, start);

	return !v || v->start >= end;
}

bool vma_joins(const struct vma *a, const struct vma *b)
{
	if (a->end != b->start || a->prot != b->prot || a->flags != b->flags || a->file != b->file)
		return false;
	return (!a->file && !(a->flags & VMA_VDSO)) ||
		a->pgoff + (a->end - a->start) / PAGE_BYTES == b->pgoff;
}
