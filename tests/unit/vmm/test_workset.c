/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/err.h"
#include "vmm/mem.h"
#include "vmm/workset.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD      "uigniter-workset 1\n"
#define RAM_BYTES (4ull << 20)
#define PAGE      4096ull

static struct workset set, again;

static void test_parse(void **state)
{
	static const char *const bad[] = {
		HEAD "-d000 13\n",
		"",
		"uigniter-workset 2\n",
		HEAD "1000\n",
		HEAD "1000 1",
		HEAD "1000 1 \n",
		HEAD "1001 1\n",
		HEAD "1000 0\n",
		HEAD "x 1\n",
		HEAD "1000 801\n",
		HEAD "1000 ffffffffffffffff\n",
		HEAD "ffffffffffffffffff 1\n",
		HEAD "2000 1\n1000 1\n",
		HEAD "1000 2\n2000 1\n",
		HEAD "1000 700\n1000000 200\n",
		HEAD "\n",
		HEAD "r 1001 1\n",
		HEAD "w 1000 0\n",
		HEAD "r 1000 2\nw 2000 1\n",
		HEAD "r 800000000000 1\n",
		HEAD "w 7ffffffff000 2\n",
		HEAD "r 1000 2001\n",
		HEAD "r1000 1\n",
		HEAD "x 1000 1\n",
	};
	struct err err;

	(void)state;
	assert_int_equal(workset_parse(HEAD, &set, NULL), 0);
	assert_int_equal(set.nranges, 0);
	assert_int_equal(workset_parse(HEAD "1000 2\n3000 a\n", &set, NULL), 0);
	assert_int_equal(set.nranges, 2);
	assert_int_equal(set.range[1].gpa, 0x3000);
	assert_int_equal(set.range[1].pages, 10);
	assert_int_equal(set.nuser, 0);
	assert_int_equal(
		workset_parse(HEAD "1000 2\nr 1000 2\nw 3000 1\nw 7ffffffff000 1\n", &set, NULL),
		0);
	assert_int_equal(set.nranges, 1);
	assert_int_equal(set.nuser, 3);
	assert_int_equal(set.user[1].va, 0x3000);
	assert_true(set.user[1].write && !set.user[0].write);
	assert_int_equal(set.user_pages, 4);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = (struct err){0};
		print_message("%zu\n", i);
		assert_int_equal(workset_parse(bad[i], &set, &err), -EINVAL);
		assert_true(err.msg[0] != '\0');
	}
}

static void test_record(void **state)
{
	char path[] = "/tmp/uig-test-workset-XXXXXX";
	int fd = mkstemp(path);
	uint8_t *ram;
	struct mem mem;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	assert_int_equal(workset_load(path, &set, NULL), -ENOENT);
	mem_init(&mem);
	ram = mem_reserve(&mem, RAM_BYTES, true, NULL);
	assert_non_null(ram);
	madvise(ram, RAM_BYTES, MADV_NOHUGEPAGE);
	assert_int_equal(mem_add(&mem, 0, RAM_BYTES, ram, true), 0);
	ram[3 * PAGE] = ram[4 * PAGE] = ram[9 * PAGE] = ram[RAM_BYTES - 1] = 1;
	assert_int_equal(workset_record(&set, &mem, PAGE, RAM_BYTES), 0);
	assert_int_equal(set.nranges, 3);
	assert_int_equal(set.range[0].gpa, 3 * PAGE);
	assert_int_equal(set.range[0].pages, 2);
	assert_int_equal(set.range[2].gpa, RAM_BYTES - PAGE);
	assert_int_equal(workset_add_user(&set, 0x400000, false), 0);
	assert_int_equal(workset_add_user(&set, 0x401000, false), 0);
	assert_int_equal(workset_add_user(&set, 0x402000, true), 0);
	assert_int_equal(workset_add_user(&set, 0x402000, true), -EINVAL);
	fd = workset_create(path, NULL);
	assert_true(fd >= 0);
	assert_int_equal(workset_create(path, NULL), -EAGAIN); /* one records */
	assert_int_equal(workset_load(path, &again, NULL), -ENOENT);
	assert_int_equal(workset_save(&set, fd, NULL), 0);
	close(fd);
	assert_int_equal(workset_load(path, &again, NULL), 0);
	assert_int_equal(again.nranges, 3);
	assert_memory_equal(again.range, set.range, 3 * sizeof(set.range[0]));
	assert_int_equal(again.nuser, 2);
	assert_int_equal(again.user[0].pages, 2);
	assert_int_equal(again.user[1].va, 0x402000);
	assert_true(again.user[1].write);
	mem_fini(&mem);
	/* Backed again in fresh memory; a range outside is passed over. */
	ram = mem_reserve(&mem, RAM_BYTES, true, NULL);
	madvise(ram, RAM_BYTES, MADV_NOHUGEPAGE);
	assert_int_equal(mem_add(&mem, 0, RAM_BYTES, ram, true), 0);
	again.range[again.nranges++] = (struct workset_range){RAM_BYTES, 1};
	workset_populate(&again, &mem);
	assert_int_equal(workset_record(&set, &mem, PAGE, RAM_BYTES), 0);
	assert_int_equal(set.nranges, 3);
	assert_int_equal(workset_record(&set, &mem, PAGE, 2 * RAM_BYTES), -EINVAL);
	mem_fini(&mem);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse), cmocka_unit_test(test_record)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
