/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/err.h"
#include "vmm/bus.h"
#include "vmm/mem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LOW_BYTES 0x10000u
#define HIGH_BASE 0x100000000ull

static void make(struct mem *mem, uint8_t **low, uint8_t **high)
{
	mem_init(mem);
	*low = mem_reserve(mem, LOW_BYTES, true, NULL);
	*high = mem_reserve(mem, LOW_BYTES, true, NULL);
	assert_non_null(*low);
	assert_non_null(*high);
	assert_int_equal((uintptr_t)*low % (2u << 20), 0);
	assert_int_equal(mem_add(mem, 0, LOW_BYTES, *low, true), 0);
	assert_int_equal(mem_add(mem, HIGH_BASE, LOW_BYTES, *high, false), 0);
}

static void test_translation(void **state)
{
	uint8_t *low, *high;
	struct mem mem;

	(void)state;
	make(&mem, &low, &high);
	assert_ptr_equal(mem_at(&mem, 0, 1), low);
	assert_ptr_equal(mem_at(&mem, 0x1234, LOW_BYTES - 0x1234), low + 0x1234);
	assert_ptr_equal(mem_at_ro(&mem, HIGH_BASE + 7, 1), high + 7);
	assert_null(mem_at(&mem, HIGH_BASE, 1)); /* read-only */
	assert_null(mem_at(&mem, 0, 0));
	assert_null(mem_at(&mem, LOW_BYTES, 1));
	assert_null(mem_at(&mem, LOW_BYTES - 1, 2));
	assert_null(mem_at(&mem, 1, UINT64_MAX));
	assert_null(mem_at(&mem, UINT64_MAX, 1));
	assert_null(mem_at(&mem, UINT64_MAX, UINT64_MAX));
	assert_null(mem_at_ro(&mem, HIGH_BASE - 1, 2));
	mem_fini(&mem);
}

static void test_regions(void **state)
{
	uint8_t *low, *high;
	struct err err = {0};
	struct mem mem;

	(void)state;
	make(&mem, &low, &high);
	assert_int_equal(mem_add(&mem, LOW_BYTES - 1, 2, low, true), -EINVAL);
	assert_int_equal(mem_add(&mem, HIGH_BASE - 1, UINT64_MAX, low, true), -EINVAL);
	assert_int_equal(mem_add(&mem, 0x20000, 0, low, true), -EINVAL);
	assert_int_equal(mem_add(&mem, 0x20000, 1, low, true), 0);
	assert_int_equal(mem_add(&mem, 0x30000, 1, low, true), 0);
	assert_int_equal(mem_add(&mem, 0x40000, 1, low, true), -ENOSPC);
	assert_null(mem_reserve(&mem, UINT64_MAX, true, &err));
	assert_int_equal(err.code, EINVAL);
	mem_fini(&mem);
}

static uint64_t last_offset;

static void on_read(void *dev, uint64_t offset, void *data, unsigned len)
{
	(void)dev;
	last_offset = offset;
	memset(data, 0xab, len);
}

static void on_write(void *dev, uint64_t offset, const void *data, unsigned len)
{
	(void)dev;
	(void)data;
	last_offset = offset + len;
}

static void test_bus(void **state)
{
	struct bus_range range = {
		.base = 0x1000, .bytes = 0x100, .read = on_read, .write = on_write};
	uint64_t value = 5;
	struct bus bus = {0};

	(void)state;
	assert_int_equal(bus_add(&bus, &range), 0);
	assert_int_equal(bus_add(&bus, &range), -EINVAL);
	bus_read(&bus, 0x10f8, &value, 8);
	assert_int_equal(last_offset, 0xf8);
	assert_int_equal(value, 0xabababababababab);
	bus_write(&bus, 0x1004, &value, 4);
	assert_int_equal(last_offset, 8);
	assert_int_equal(bus.unknown, 0);
	bus_read(&bus, 0x10fc, &value, 8); /* hangs over */
	assert_int_equal(value, 0);
	bus_write(&bus, 0xfff, &value, 1);
	bus_write(&bus, UINT64_MAX, &value, 8);
	assert_int_equal(bus.unknown, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_translation),
		cmocka_unit_test(test_regions), cmocka_unit_test(test_bus)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
