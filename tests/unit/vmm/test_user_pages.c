/* SPDX-License-Identifier: Apache-2.0 */
/* Page tables as a libOS builds them, and as a guest that means harm would. */
#include "vmm/arch/x86_64/user_pages.h"
#include "vmm/mem.h"
#include "vmm/workset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#define RAM_BYTES (2ull << 20)
#define PAGE      4096ull
#define ROOT      0x9000ull
#define TABLE     (0x1 | 0x2 | 0x4 | 0x20)
#define READ      (0x1 | 0x4)
#define WRITE     (0x1 | 0x2 | 0x4)
#define A         0x20ull
#define D         0x40ull
#define VA        0x7f0000200000ull

static struct workset set;
static struct mem mem;
static uint8_t *ram;

static uint64_t *table_at(gpa_t gpa)
{
	return mem_at(&mem, gpa, PAGE);
}

/* One lowest table at 0xc000, for the 2 MiB from VA on. */
static uint64_t *make_tables(void)
{
	mem_init(&mem);
	ram = mem_reserve(&mem, RAM_BYTES, true, NULL);
	assert_non_null(ram);
	assert_int_equal(mem_add(&mem, 0, RAM_BYTES, ram, true), 0);
	table_at(ROOT)[VA >> 39] = 0xa000 | TABLE;
	table_at(0xa000)[VA >> 30 & 511] = 0xb000 | TABLE;
	table_at(0xb000)[VA >> 21 & 511] = 0xc000 | TABLE;
	return table_at(0xc000);
}

static void test_record(void **state)
{
	uint64_t *leaf = make_tables();
	struct user_tables *tables;

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		leaf[i] = (0x20000 + i * PAGE) | WRITE | A | D;
	leaf[511] = 0x30000 | READ | A | D;
	tables = user_pages_forget(&mem, ROOT);
	assert_non_null(tables);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(leaf[i], (0x20000 + i * PAGE) | WRITE);
	user_pages_record(&mem, ROOT, &set);
	assert_int_equal(set.nuser, 0);
	leaf[2] |= A;
	leaf[3] |= A;
	leaf[4] |= A | D;
	leaf[511] |= A;
	assert_true(user_tables_unchanged(tables, &mem, 0xc000));
	assert_false(user_tables_unchanged(tables, &mem, 0xb000)); /* no lowest table */
	user_pages_record(&mem, ROOT, &set);
	assert_int_equal(set.nuser, 3);
	assert_int_equal(set.user_pages, 4);
	assert_int_equal(set.user[0].va, VA + 2 * PAGE);
	assert_int_equal(set.user[0].pages, 2);
	assert_false(set.user[0].write);
	assert_int_equal(set.user[1].va, VA + 4 * PAGE);
	assert_true(set.user[1].write);
	assert_int_equal(set.user[2].va, VA + 511 * PAGE);
	leaf[9] = 0x40000 | READ;
	assert_false(user_tables_unchanged(tables, &mem, 0xc000));
	user_tables_free(tables);
	mem_fini(&mem);
}

static void test_mapped(void **state)
{
	uint64_t *leaf = make_tables();

	(void)state;
	leaf[0] = 0x20000 | WRITE;
	leaf[1] = 0x21000 | READ;
	leaf[2] = RAM_BYTES | WRITE;   /* outside of memory */
	leaf[3] = 0x22000 | 0x1 | 0x2; /* not the program's */
	assert_true(user_page_is_mapped(&mem, ROOT, VA, true));
	assert_true(user_page_is_mapped(&mem, ROOT, VA + PAGE, false));
	assert_false(user_page_is_mapped(&mem, ROOT, VA + PAGE, true));
	for (unsigned i = 2; i < 5; i++)
		assert_false(user_page_is_mapped(&mem, ROOT, VA + i * PAGE, false));
	assert_false(user_page_is_mapped(&mem, ROOT, VA + (2ull << 20), false));
	assert_false(user_page_is_mapped(&mem, RAM_BYTES, VA, false));
	table_at(0xb000)[VA >> 21 & 511] &= ~0x2ull; /* not to be written, one level up */
	assert_false(user_page_is_mapped(&mem, ROOT, VA, true));
	assert_true(user_page_is_mapped(&mem, ROOT, VA, false));
	mem_fini(&mem);
}

/* Tables that contain themselves: 2^35 pages, were they followed. */
static void test_loop(void **state)
{
	struct user_tables *tables;

	(void)state;
	make_tables();
	for (unsigned i = 0; i < 512; i++)
		table_at(ROOT)[i] = ROOT | TABLE | D;
	assert_int_equal(workset_parse("uigniter-workset 1\n", &set, NULL), 0);
	user_pages_record(&mem, ROOT, &set);
	assert_true(set.user_pages > 512 && set.user_pages <= WORKSET_USER_PAGES_MAX);
	tables = user_pages_forget(&mem, ROOT);
	assert_non_null(tables);
	user_tables_free(tables);
	mem_fini(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_record),
		cmocka_unit_test(test_mapped), cmocka_unit_test(test_loop)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
