/* SPDX-License-Identifier: Apache-2.0 */
/* Page frames and kmalloc over a piece of the host's memory: every frame is given out once, what is free is zero when it was promised. */
#include "tests/unit/libos/core/core.h"

#include <sys/mman.h>

#include "abi/boot.h"
#include "abi/layout.h"

static char *ram;
#undef UIG_VA_DIRECT
#define UIG_VA_DIRECT ((uint64_t)ram - 0x100000)
#include "libos/mem/page.c"
#include "libos/mem/kmalloc.c"

#define RAM_BYTES 0x1000000ull
#define FRAMES    (RAM_BYTES / PAGE_BYTES)

static int setup(void **state)
{
	struct uig_bootinfo boot = {.free_start = 0x100800,
		.nregions = 2,
		.region = {{0, 0x100000 + RAM_BYTES / 2},
			{0x100000 + RAM_BYTES / 2 + 0x3000, RAM_BYTES / 2 - 0x3000}}};

	ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(ram, MAP_FAILED);
	nregions = 0;
	total = free_count = page_dirty = 0;
	ready = false;
	bound = (struct bound){0};
	page_init(&boot);
	return 0;
}

static int teardown(void **state)
{
	return munmap(ram, RAM_BYTES);
}

static void all_frames_once(void **state)
{
	static void *got[FRAMES];
	unsigned n = 0;

	assert_true(page_total() > FRAMES * 98 / 100 && page_total() < FRAMES);
	while ((got[n] = page_alloc())) {
		for (unsigned i = 0; i < PAGE_BYTES; i += 512)
			assert_int_equal(((char *)got[n])[i], 0);
		memset(got[n], 0xa5, PAGE_BYTES);
		*(unsigned *)got[n] = n;
		n++;
	}
	assert_int_equal(n, page_total());
	assert_int_equal(page_free_count(), 0);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(*(unsigned *)got[i], i);
		assert_true(page_is_ram(got[i]));
		assert_int_equal(page_refs(got[i]), 1);
	}
	assert_false(page_is_ram(ram - 1));
	assert_false(page_is_ram(ram + RAM_BYTES));
	assert_false(page_is_ram(ram + RAM_BYTES / 2 + 0x1000)); /* between the regions */
	for (unsigned i = 0; i < n; i++)
		page_put(got[(i * 7919u) % n]);
	assert_int_equal(page_free_count(), page_total());
	assert_non_null(page_alloc_run(FRAMES / 4)); /* all of it has grown together again */
}

static void references(void **state)
{
	char *p = page_alloc();

	page_get(p);
	page_put(p);
	assert_int_equal(page_refs(p), 1);
	*p = 1;
	page_put(p);
	assert_int_equal(*(char *)page_alloc(), 0);
	p = page_alloc();
	page_put(p);
	expect_assert_failure(page_put(p));
}

static void runs(void **state)
{
	uint64_t before = page_free_count();
	char *a = page_alloc_run(5), *b = page_alloc_run(100), *c = page_alloc();

	assert_true(a && b && c && (a + 5 * PAGE_BYTES <= b || b + 100 * PAGE_BYTES <= a));
	assert_int_equal(page_free_count(), before - 106);
	page_free_run(b, 100);
	page_put(a + 2 * PAGE_BYTES);
	page_free_run(a, 2);
	page_free_run(a + 3 * PAGE_BYTES, 2);
	page_put(c);
	assert_int_equal(page_free_count(), before);
	assert_null(page_alloc_run(0));
	assert_null(page_alloc_run(FRAMES));
	assert_null(page_alloc_run(SIZE_MAX));
}

/* What was used and is free can be taken for giving back, and counts as new memory once it is zero. */
static void dirty(void **state)
{
	struct page_block block[4];
	uint64_t before = page_free_count();
	char *p = page_alloc_run(64), *q;
	unsigned n;

	page_dirty_least = UINT64_MAX;
	assert_int_equal(page_dirty, 0);
	memset(p, 0xaa, 64 * PAGE_BYTES);
	page_free_run(p, 64);
	assert_int_equal(page_dirty, 64);
	assert_int_equal(page_take_dirty(block, 4, 15), 0); /* nothing so small */
	n = page_take_dirty(block, 4, 47);
	assert_true(n >= 1 && block[0].order == 5 && page_dirty <= 32);
	page_return(&block[0], false);
	for (unsigned i = 1; i < n; i++)
		page_return(&block[i], false);
	assert_int_equal(page_dirty, 64);
	assert_int_equal(page_take_dirty(block, 0, 64), 0);
	n = page_take_dirty(block, 4, UINT64_MAX);
	assert_int_equal(n, 1);
	assert_ptr_equal(block[0].at, p);
	assert_int_equal(block[0].order, 6);
	memset(p, 0, 64 * PAGE_BYTES);
	page_return(&block[0], true);
	assert_int_equal(page_dirty, 0);
	assert_int_equal(page_free_count(), before);
	q = page_alloc(); /* dirty memory first, and the fewest there was is noted */
	page_put(q);
	assert_true(page_dirty >= 1 && page_dirty <= 16); /* with its zero buddies */
	page_dirty_least = page_dirty;
	q = page_alloc();
	assert_true(page_dirty_least < page_dirty + 1 && page_dirty_least == page_dirty);
	page_put(q);
}

struct object {
	unsigned char *p;
	size_t n;
	unsigned char fill;
};

static void check_object(const struct object *o)
{
	for (size_t i = 0; i < o->n; i++)
		assert_int_equal(o->p[i], o->fill);
}

static void kmalloc_walk(void **state)
{
	static struct object obj[500];
	uint64_t before = page_free_count();

	memset(obj, 0, sizeof(obj));
	srandom(2);
	for (unsigned round = 0; round < 30000; round++) {
		struct object *o = &obj[(unsigned)random() % 500];

		check_object(o);
		if (!o->p || random() % 3 == 0) {
			size_t n = (size_t)random() % (random() % 8 ? 600 : 12000);

			o->p = krealloc(o->p, n);
			assert_non_null(o->p);
			assert_int_equal((uintptr_t)o->p % 16, 0);
			o->n = o->n < n ? o->n : n;
			check_object(o);
			o->n = n;
			o->fill = (unsigned char)random();
			memset(o->p, o->fill, n);
		} else {
			kfree(o->p);
			*o = (struct object){0};
		}
	}
	for (unsigned i = 0; i < 500; i++)
		kfree(obj[i].p);
	assert_true(page_free_count() >= before - CLASSES);
	assert_null(kmalloc(RAM_BYTES));
	assert_null(kmalloc(SIZE_MAX));
	kfree(NULL);
}

static void out_of_memory(void **state)
{
	void *last = NULL, *p, *keep;

	while ((p = kmalloc(1000))) {
		*(void **)p = last;
		last = p;
	}
	keep = last;
	assert_null(krealloc(keep, 100000));
	while (last) {
		p = *(void **)last;
		kfree(last);
		last = p;
	}
	assert_true(page_free_count() >= page_total() - 1);
	expect_assert_failure(kfree(ram + RAM_BYTES));
}

static uint32_t ram_ready, ram_used;
static unsigned asks;
static bool gives;

static void ask(gpa_t end)
{
	asks++;
	assert_int_equal(end % PAGE_BYTES, 0);
	assert_true(end / PAGE_BYTES > ram_ready);
	if (gives)
		ram_ready = (uint32_t)(end / PAGE_BYTES) + 100;
}

/* What the machine has no memory for yet is asked for, and not used when it does not come. */
static void bounded(void **state)
{
	uint32_t first = (uint32_t)(page_gpa(regions[0].base) / PAGE_BYTES);
	unsigned n = 0;
	void *p;

	ram_ready = first + 10;
	ram_used = asks = 0;
	gives = false;
	page_bound(&ram_ready, &ram_used, ask);
	assert_int_equal(ram_used, first);
	nregions = 1;
	while ((p = page_alloc())) {
		assert_true(page_gpa(p) / PAGE_BYTES < ram_used);
		n++;
	}
	assert_int_equal(n, 10);
	assert_int_equal(ram_used, ram_ready);
	assert_true(asks > 0);
	assert_null(page_alloc_run(4));
	assert_int_equal(ram_used, ram_ready);
	gives = true;
	asks = 0;
	assert_non_null(page_alloc_run(4));
	assert_int_equal(asks, 1);
	while ((p = page_alloc())) {
		assert_true(page_gpa(p) / PAGE_BYTES < ram_used && ram_used <= ram_ready);
		n++;
	}
	assert_int_equal(page_free_count(), total - regions[0].count);
	assert_int_equal(ram_used, first + regions[0].count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_frames_once, setup, teardown),
		cmocka_unit_test_setup_teardown(references, setup, teardown),
		cmocka_unit_test_setup_teardown(runs, setup, teardown),
		cmocka_unit_test_setup_teardown(dirty, setup, teardown),
		cmocka_unit_test_setup_teardown(kmalloc_walk, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
