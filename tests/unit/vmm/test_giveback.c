/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of free memory as a hostile guest might write them. */
#include "abi/platform.h"
#include "vmm/giveback.h"
#include "vmm/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PAGE      4096u
#define RAM       (64u * PAGE)
#define LIST      (2u * PAGE)
#define READ_ONLY 0x100000000ull

static struct mem mem;
static uint8_t *ram, *image;
static struct uig_free_list *list;

static int setup(void **state)
{
	mem_init(&mem);
	ram = mem_reserve(&mem, RAM, true, NULL);
	image = mem_reserve(&mem, RAM, true, NULL);
	assert_true(ram && image && mem_add(&mem, 0, RAM, ram, true) == 0 &&
		mem_add(&mem, READ_ONLY, RAM, image, false) == 0);
	memset(ram, 0x5a, RAM);
	memset(image, 0x5a, RAM);
	list = (struct uig_free_list *)(ram + LIST);
	memset(list, 0, sizeof(*list));
	return 0;
}

static int teardown(void **state)
{
	mem_fini(&mem);
	return 0;
}

static uint64_t serve(uint32_t count)
{
	list->count = count;
	list->done = 77;
	return giveback_serve(&mem, LIST);
}

static void given(void **state)
{
	list->range[0] = (struct uig_free_range){4 * PAGE, 2 * PAGE};
	list->range[1] = (struct uig_free_range){RAM - PAGE, PAGE};
	assert_int_equal(serve(2), 3 * PAGE);
	assert_int_equal(list->done, 2);
	for (unsigned i = 0; i < 2 * PAGE; i++)
		assert_int_equal(ram[4 * PAGE + i], 0);
	assert_int_equal(ram[RAM - PAGE], 0);
	assert_int_equal(ram[4 * PAGE - 1], 0x5a);
	assert_int_equal(ram[6 * PAGE], 0x5a);
	assert_int_equal(serve(0), 0);
	assert_int_equal(list->done, 0);
}

/* The first bad one ends the list; what comes behind it is not touched. */
static void refused(void **state)
{
	static const struct uig_free_range bad[] = {
		{4 * PAGE + 1, PAGE},
		{4 * PAGE, PAGE - 1},
		{4 * PAGE, 0},
		{RAM, PAGE},
		{RAM - PAGE, 2 * PAGE},
		{UINT64_MAX - PAGE + 1, PAGE},
		{4 * PAGE, UINT64_MAX - PAGE + 1},
		{READ_ONLY, PAGE},
		{READ_ONLY - PAGE, 2 * PAGE},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		list->range[0] = (struct uig_free_range){8 * PAGE, PAGE};
		list->range[1] = bad[i];
		list->range[2] = (struct uig_free_range){16 * PAGE, PAGE};
		assert_int_equal(serve(3), PAGE);
		assert_int_equal(list->done, 1);
		assert_int_equal(ram[16 * PAGE], 0x5a);
		assert_int_equal(ram[RAM - PAGE], 0x5a);
		assert_int_equal(image[0], 0x5a);
	}
}

static void bad_lists(void **state)
{
	list->range[0] = (struct uig_free_range){8 * PAGE, PAGE};
	assert_int_equal(serve(UIG_FREE_RANGES + 1), 0);
	assert_int_equal(serve(UINT32_MAX), 0);
	list->count = 1;
	assert_int_equal(giveback_serve(&mem, LIST + 8), 0);
	assert_int_equal(giveback_serve(&mem, RAM), 0);
	assert_int_equal(giveback_serve(&mem, READ_ONLY), 0);
	assert_int_equal(giveback_serve(&mem, UINT64_MAX), 0);
	assert_int_equal(ram[8 * PAGE], 0x5a);
	assert_int_equal(list->done, 77);
}

/* A list that names itself: the answer is written into fresh memory. */
static void itself(void **state)
{
	list->range[0] = (struct uig_free_range){LIST, PAGE};
	assert_int_equal(serve(1), PAGE);
	assert_int_equal(list->done, 1);
	assert_int_equal(list->count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(given, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(itself, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
