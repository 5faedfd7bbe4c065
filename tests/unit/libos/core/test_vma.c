/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of areas against a plain array, under many random insertions, removals and changes. */
#include "tests/unit/libos/core/core.h"

#include "libos/mem/page.h"
#include "libos/mem/vma.c"

#define SLOTS 700u
#define SLOT  0x4000ull

static struct vma_tree tree;
static struct vma *slot[SLOTS]; /* area that starts in this slot; at most one slot long */

static int check_node(const struct vma *v, uint64_t *hole_below)
{
	uint64_t l = 0, r = 0, most;
	int hl, hr;

	if (!v) {
		*hole_below = 0;
		return 0;
	}
	assert_true(!v->left || v->left->start < v->start);
	assert_true(!v->right || v->right->start > v->start);
	hl = check_node(v->left, &l);
	hr = check_node(v->right, &r);
	assert_true(hl - hr <= 1 && hr - hl <= 1);
	most = v->start - (v->prev ? v->prev->end : VMA_MIN);
	most = most > l ? most : l;
	most = most > r ? most : r;
	assert_true(v->max_hole == most);
	*hole_below = most;
	assert_int_equal(v->height, (hl > hr ? hl : hr) + 1);
	return v->height;
}

static void check_tree(void)
{
	const struct vma *v = tree.first, *prev = NULL;
	uint64_t hole_below;
	unsigned n = 0;

	check_node(tree.root, &hole_below);
	for (unsigned i = 0; i < SLOTS; i++) {
		if (!slot[i])
			continue;
		assert_ptr_equal(v, slot[i]);
		assert_ptr_equal(v->prev, prev);
		prev = v;
		v = v->next;
		n++;
	}
	assert_null(v);
	assert_ptr_equal(tree.last, prev);
	assert_int_equal(tree.count, n);
}

static void check_find(uptr_t addr)
{
	struct vma *want = NULL;

	for (unsigned i = 0; i < SLOTS && !want; i++) {
		if (slot[i] && addr < slot[i]->end)
			want = slot[i];
	}
	assert_ptr_equal(vma_find(&tree, addr), want);
}

/* The highest hole of len below top, by looking at every page. */
static uptr_t slow_hole(uint64_t len, uptr_t top)
{
	for (uptr_t at = top - len; at >= VMA_MIN; at -= PAGE_BYTES) {
		if (vma_is_free(&tree, at, at + len))
			return at;
	}
	return 0;
}

static void random_walk(void **state)
{
	srandom(1);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned i = (unsigned)random() % SLOTS;

		if (slot[i] && random() % 3) {
			vma_remove(&tree, slot[i]);
			free(slot[i]);
			slot[i] = NULL;
		} else if (slot[i]) {
			slot[i]->end = slot[i]->start + PAGE_BYTES * (uint64_t)(1 + random() % 3);
			vma_moved(&tree, slot[i]);
		} else {
			slot[i] = calloc(1, sizeof(*slot[i]));
			slot[i]->start = VMA_MIN + i * SLOT + (random() % 2 ? PAGE_BYTES : 0);
			slot[i]->end = slot[i]->start + PAGE_BYTES * (uint64_t)(1 + random() % 3);
			vma_insert(&tree, slot[i]);
		}
		if (round % 64 == 0) {
			uptr_t top =
				VMA_MIN + (uint64_t)(random() % (SLOTS * 4 + 8) + 8) * PAGE_BYTES;
			uint64_t len = PAGE_BYTES * (uint64_t)(1 + random() % 7);

			check_tree();
			check_find(VMA_MIN + (uint64_t)random() % (SLOTS * SLOT + SLOT));
			assert_int_equal(vma_find_hole(&tree, len, top), slow_hole(len, top));
		}
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		if (slot[i])
			vma_remove(&tree, slot[i]);
		free(slot[i]);
		slot[i] = NULL;
	}
	check_tree();
	assert_null(tree.root);
}

static void edges(void **state)
{
	struct vma a = {.start = VMA_MIN, .end = VMA_MIN + PAGE_BYTES};

	assert_int_equal(vma_find_hole(&tree, PAGE_BYTES, VMA_MIN), 0);
	assert_int_equal(vma_find_hole(&tree, PAGE_BYTES, VMA_MIN + PAGE_BYTES), VMA_MIN);
	vma_insert(&tree, &a);
	assert_int_equal(vma_find_hole(&tree, PAGE_BYTES, VMA_MIN + PAGE_BYTES), 0);
	assert_int_equal(vma_find_hole(&tree, PAGE_BYTES, VMA_MIN + 3 * PAGE_BYTES),
		VMA_MIN + 2 * PAGE_BYTES);
	assert_int_equal(vma_find_hole(&tree, UINT64_MAX, UIG_USER_TOP), 0);
	assert_false(vma_is_free(&tree, VMA_MIN, VMA_MIN + 1));
	assert_true(vma_is_free(&tree, VMA_MIN + PAGE_BYTES, UIG_USER_TOP));
	vma_remove(&tree, &a);
}

static void joins(void **state)
{
	struct vma a = {.start = 0x10000, .end = 0x12000, .prot = 3, .flags = 2}, b = a;

	b.start = 0x12000;
	b.end = 0x13000;
	assert_true(vma_joins(&a, &b));
	b.prot = 1;
	assert_false(vma_joins(&a, &b));
	b.prot = 3;
	a.file = b.file = (struct file *)&a;
	assert_false(vma_joins(&a, &b));
	b.pgoff = 2;
	assert_true(vma_joins(&a, &b));
	b.start = 0x12001;
	assert_false(vma_joins(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_walk),
		cmocka_unit_test(edges),
		cmocka_unit_test(joins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
