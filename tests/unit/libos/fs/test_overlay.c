/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root with an image below it: random calls on a tree that the image has must go as on the host's copy of that tree; pages are the
 * image's until they are written; what is removed is gone, what is changed stays.
 */
#include "libos/klib/errno.h"
#include "libos/fs/vfs.h"
#include "libos/mem/page.h"
#include "libos/uapi/fs.h"
#include "tests/unit/libos/fs/both.h"
#include "tests/unit/libos/fs/nr.h"
#include "tests/unit/libos/fs/random_names.h"
#include "tests/unit/libos/fs/shim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void host_file(const char *name, unsigned bytes)
{
	long fd = host_call(NR_open, STR(name), O_RDWR | O_CREAT, 0644, 0, 0, 0);

	for (unsigned i = 0; i < bytes; i++)
		host_buf[i] = (char)(i * 31 + (i >> 8) + bytes);
	assert_int_equal(host_call(NR_write, (uint64_t)fd, STR(host_buf), bytes, 0, 0, 0), bytes);
	host_call(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
}

static void populate(void)
{
	static const char *const dirs[] = {"d", "d/e", "many", "x"};
	char name[32];

	for (unsigned i = 0; i < 4; i++)
		host_call(NR_mkdir, STR(dirs[i]), 0755, 0, 0, 0, 0);
	host_file("a", 5);
	host_file("b", 0);
	host_file("d/a", 10000);
	host_file("d/e/f", 4096);
	host_file("plain", 8192);
	host_file("tail", 12388);
	host_file("small", 100);
	host_call(NR_link, STR("a"), STR("d/b"), 0, 0, 0, 0);
	host_call(NR_symlink, STR("d/e"), STR("l"), 0, 0, 0, 0);
	host_call(NR_symlink, STR("nowhere"), STR("m"), 0, 0, 0, 0);
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "many/entry-%d", i);
		host_file(name, (unsigned)i);
	}
}

static void test_pages(void **state)
{
	struct file *f;
	void *p, *q;

	long fd = libos_call(NR_open, STR("tail"), O_RDWR, 0, 0, 0, 0);
	f = fd_file((int)fd);
	assert_int_equal(f->ops->get_page(f, 0, 0, &p), 0);
	assert_false(page_is_ram(p)); /* the image's own */
	assert_int_equal(f->ops->get_page(f, 3, 0, &p), 0);
	for (unsigned i = 0; i < 4096; i++) /* 100 bytes, then zeros */
		assert_int_equal(((char *)p)[i],
			i < 100 ? (char)((12288 + i) * 31 + ((12288 + i) >> 8) + 12388) : 0);
	if (page_is_ram(p))
		page_put(p);
	assert_int_equal(f->ops->get_page(f, 4, 0, &p), -EIO);
	/* a write to a page that was lent: mappings are told, and get the new frame */
	unsigned calls = shim_unmap_calls;
	assert_int_equal(libos_call(NR_pwrite, (uint64_t)fd, STR("new"), 3, 4096, 0, 0), 3);
	assert_int_equal(shim_unmap_calls, calls + 1);
	assert_int_equal(shim_unmap_pgoff, 1);
	assert_int_equal(f->ops->get_page(f, 1, 0, &p), 0);
	assert_true(page_is_ram(p));
	assert_memory_equal(p, "new", 3);
	assert_int_equal(((char *)p)[3], (char)(4099 * 31 + (4099 >> 8) + 12388));
	/* shared and written: the file's own frame */
	assert_int_equal(f->ops->get_page(f, 0, GET_PAGE_SHARED | GET_PAGE_WRITE, &q), 0);
	assert_true(page_is_ram(q));
	memcpy(q, "map", 3);
	libos_call(NR_pread, (uint64_t)fd, STR(libos_buf), 3, 0, 0, 0);
	assert_memory_equal(libos_buf, "map", 3);
	page_put(p);
	page_put(q);
	libos_call(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	/* closed and opened again, the change is there */
	fd = libos_call(NR_open, STR("tail"), O_RDONLY, 0, 0, 0, 0);
	libos_call(NR_pread, (uint64_t)fd, STR(libos_buf), 3, 0, 0, 0);
	assert_memory_equal(libos_buf, "map", 3);
	libos_call(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	host_call(NR_unlink, STR("tail"), 0, 0, 0, 0, 0);
	libos_call(NR_unlink, STR("tail"), 0, 0, 0, 0, 0);
}

static void read_whole(const char *name)
{
	memset(host_buf, 0, BOTH_BUF);
	memset(libos_buf, 0, BOTH_BUF);
	if (both_fd(0, NR_open, STR(name), O_RDONLY, 0) < 0)
		return;
	both(NR_read, FD(0), BUF(0), BOTH_BUF);
	both_same(BOTH_BUF);
	both(NR_fstat, FD(0), BUF(0));
	both_same_stat();
	both(NR_close, FD(0));
}

static void test_contents(void **state)
{
	char name[32];

	read_whole("a");
	read_whole("b");
	read_whole("d/a");
	read_whole("d/b");
	read_whole("d/e/f");
	read_whole("plain");
	read_whole("tail");
	read_whole("small");
	read_whole("l/f");
	for (int i = 0; i < 401; i++) {
		snprintf(name, sizeof(name), "many/entry-%d", i);
		read_whole(name);
	}
}

static void test_cut_and_grow(void **state)
{
	both_fd(1, NR_open, STR("d/a"), O_RDWR, 0);
	both(NR_ftruncate, FD(1), 5000);
	read_whole("d/a");
	both(NR_ftruncate, FD(1), 20000);
	read_whole("d/a");
	both(NR_pwrite, FD(1), STR("end"), 3, 30000);
	read_whole("d/a");
	both(NR_fallocate, FD(1), 3, 100, 4500);
	read_whole("d/a");
	both(NR_ftruncate, FD(1), 0);
	both(NR_ftruncate, FD(1), 9000);
	read_whole("d/a");
	both(NR_close, FD(1));
	both_fd(1, NR_open, STR("plain"), O_RDWR | O_TRUNC, 0);
	both(NR_write, FD(1), STR("x"), 1);
	read_whole("plain");
	both(NR_close, FD(1));
}

static unsigned list(const char *name, char *seen, unsigned max)
{
	long fd = libos_call(NR_open, STR(name), O_RDONLY | O_DIRECTORY, 0, 0, 0, 0), got;
	unsigned n = 0;

	memset(seen, 0, max);
	while ((got = libos_call(NR_getdents64, (uint64_t)fd, STR(libos_buf), 700, 0, 0, 0)) > 0) {
		for (long at = 0; at < got; n++) {
			const char *entry = libos_buf + at + 19;
			uint16_t len;
			int k;

			memcpy(&len, libos_buf + at + 16, 2);
			at += len;
			if (sscanf(entry, "entry-%d", &k) == 1)
				assert_int_equal(seen[k]++, 0);
		}
	}
	libos_call(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	return n;
}

static void test_merged_directory(void **state)
{
	char seen[1000];

	assert_int_equal(list("many", seen, sizeof(seen)), 402);
	libos_call(NR_unlink, STR("many/entry-7"), 0, 0, 0, 0, 0);
	libos_call(NR_rename, STR("many/entry-8"), STR("many/entry-508"), 0, 0, 0, 0);
	libos_call(NR_rename, STR("many/entry-9"), STR("many/entry-10"), 0, 0, 0, 0);
	libos_call(NR_close,
		(uint64_t)libos_call(
			NR_open, STR("many/entry-600"), O_CREAT | O_WRONLY, 0600, 0, 0, 0),
		0, 0, 0, 0, 0);
	libos_call(NR_close,
		(uint64_t)libos_call(
			NR_open, STR("many/entry-7"), O_CREAT | O_WRONLY, 0600, 0, 0, 0),
		0, 0, 0, 0, 0);
	assert_int_equal(list("many", seen, sizeof(seen)), 402);
	assert_int_equal(seen[7] + seen[508] + seen[10] + seen[600], 4);
	assert_int_equal(seen[8] + seen[9], 0);
	for (int i = 0; i < 601; i++) {
		char name[32];

		snprintf(name, sizeof(name), "many/entry-%d", i);
		assert_int_equal(libos_call(NR_rmdir, STR("many"), 0, 0, 0, 0, 0), -ENOTEMPTY);
		libos_call(NR_unlink, STR(name), 0, 0, 0, 0, 0);
	}
	assert_int_equal(list("many", seen, sizeof(seen)), 2);
	assert_int_equal(libos_call(NR_rmdir, STR("many"), 0, 0, 0, 0, 0), 0);
	assert_int_equal(libos_call(NR_mkdir, STR("many"), 0755, 0, 0, 0, 0), 0);
	assert_int_equal(list("many", seen, sizeof(seen)), 2); /* nothing shines through */
	assert_int_equal(libos_call(NR_rmdir, STR("many"), 0, 0, 0, 0, 0), 0);
}

static void test_random(void **state)
{
	random_names(40000);
}

static const char *options[] = {
	"", "-E force-inode-extended", "-E noinline_data", "--chunksize=4096"};

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_cut_and_grow),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_merged_directory),
	};
	int failed;

	both_init_image(populate, options[argc > 1 ? atoi(argv[1]) & 3 : 0]);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	both_fini();
	return failed ? 1 : 0;
}
