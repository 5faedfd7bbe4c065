/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: random calls with a few names, on the host's tmpfs and on the libOS's, must give the same results, errors and contents, whatever
 * they are.
 */
#include "libos/uapi/fs.h"
#include "tests/unit/libos/fs/both.h"
#include "tests/unit/libos/fs/nr.h"
#include "tests/unit/libos/fs/random_names.h"
#include "tests/unit/libos/fs/shim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <cmocka.h>

static void test_random(void **state)
{
	random_names(60000);
}

static void test_long_names(void **state)
{
	static char n255[256], n256[257], path[5000];

	memset(n255, 'x', 255);
	memset(n256, 'y', 256);
	both(NR_mkdir, STR(n255), 0755);
	both(NR_mkdir, STR(n256), 0755);
	both(NR_stat, STR(n256), BUF(0));
	both(NR_rmdir, STR(n255));
	memset(path, '/', sizeof(path));
	memcpy(path, "./", 2);
	path[4094] = '.';
	path[4095] = 0;
	both(NR_stat, STR(path), BUF(0));
	path[4095] = '/';
	path[4096] = 0;
	both(NR_stat, STR(path), BUF(0));
	both(NR_stat, 1, BUF(0));
	both(NR_stat, STR("."), 1);
	both(NR_mkdir, 0, 0755);
}

static void test_link_limits(void **state)
{
	char name[8], to[8];

	for (int i = 0; i < 42; i++) {
		snprintf(name, sizeof(name), "k%d", i + 1);
		snprintf(to, sizeof(to), "k%d", i);
		both(NR_symlink, STR(to), STR(name));
	}
	both_fd(0, NR_open, STR("k0"), O_CREAT | O_RDWR, 0600);
	both(NR_close, FD(0));
	for (int i = 36; i <= 42; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		both(NR_stat, STR(name), BUF(0));
		if (both_fd(0, NR_open, STR(name), O_CREAT | O_RDWR, 0600) == 0)
			both(NR_close, FD(0));
	}
	both(NR_symlink, STR("self"), STR("self"));
	both(NR_stat, STR("self"), BUF(0));
	both(NR_open, STR("self"), O_CREAT | O_RDWR, 0600);
}

static unsigned count_entries(long fd, unsigned *bytes)
{
	unsigned n = 0;
	long got;

	*bytes = 0;
	while ((got = libos_call(NR_getdents64, (uint64_t)fd, (uint64_t)(uintptr_t)libos_buf, 4096,
			0, 0, 0)) > 0) {
		for (long at = 0; at < got; n++) {
			uint16_t len;

			memcpy(&len, libos_buf + at + 16, 2);
			at += len;
		}
		*bytes += (unsigned)got;
	}
	assert_int_equal(got, 0);
	return n;
}

static void test_large_directory(void **state)
{
	unsigned bytes, n = 0;
	char name[32];
	long fd;

	libos_call(NR_mkdir, STR("big"), 0755, 0, 0, 0, 0);
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "big/f%d", i);
		assert_int_equal(libos_call(NR_mknod, STR(name), S_IFREG | 0600, 0, 0, 0, 0), 0);
	}
	fd = libos_call(NR_open, STR("big"), O_RDONLY | O_DIRECTORY, 0, 0, 0, 0);
	assert_true(fd >= 0);
	assert_int_equal(count_entries(fd, &bytes), 10002);
	/* removing all while it is read: none is left out */
	libos_call(8, (uint64_t)fd, 0, SEEK_SET, 0, 0, 0);
	for (long got; (got = libos_call(NR_getdents64, (uint64_t)fd,
				(uint64_t)(uintptr_t)libos_buf, 1024, 0, 0, 0)) > 0;) {
		for (long at = 0; at < got;) {
			const char *entry = libos_buf + at + 19;
			uint16_t len;

			memcpy(&len, libos_buf + at + 16, 2);
			at += len;
			if (entry[0] == '.')
				continue;
			snprintf(name, sizeof(name), "big/%s", entry);
			assert_int_equal(libos_call(NR_unlink, STR(name), 0, 0, 0, 0, 0), 0);
			n++;
		}
	}
	assert_int_equal(n, 10000);
	assert_int_equal(libos_call(NR_rmdir, STR("big"), 0, 0, 0, 0, 0), 0);
	libos_call(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
}

static void test_at_calls(void **state)
{
	both(NR_mkdir, STR("at"), 0755);
	both_fd(1, NR_open, STR("at"), O_RDONLY | O_DIRECTORY);
	both_fd(2, NR_openat, FD(1), STR("f"), O_CREAT | O_RDWR, 0644);
	both(NR_write, FD(2), STR("hello"), 5);
	both(NR_newfstatat, FD(2), STR(""), BUF(0), AT_EMPTY_PATH);
	both_same_stat();
	both(NR_newfstatat, FD(1), STR("f"), BUF(0), 0);
	both_same_stat();
	both(NR_newfstatat, FD(2), STR("f"), BUF(0), 0);
	both(NR_newfstatat, FD(2), STR(""), BUF(0), 0);
	both(NR_newfstatat, 999, STR("f"), BUF(0), 0);
	both(NR_newfstatat, FD(1), STR("f"), BUF(0), 0x80000);
	both(NR_mkdirat, FD(1), STR("sub"), 0700);
	both(NR_unlinkat, FD(1), STR("sub"), 0);
	both(NR_unlinkat, FD(1), STR("f"), AT_REMOVEDIR);
	both(NR_unlinkat, FD(1), STR("sub"), AT_REMOVEDIR);
	both(NR_unlinkat, FD(1), STR("sub"), 1);
	both(NR_linkat, FD(2), STR(""), FD(1), STR("g"), AT_EMPTY_PATH);
	both(NR_unlinkat, FD(1), STR("f"), 0);
	both(NR_unlinkat, FD(1), STR("g"), 0);
	both(NR_fstat, FD(2), BUF(0));
	both_same_stat();
	both(NR_linkat, FD(2), STR(""), FD(1), STR("h"), AT_EMPTY_PATH);
	both(NR_rmdir, STR("at"));
	both_fd(3, NR_openat, FD(1), STR("f"), O_CREAT | O_RDWR, 0644);
	both(NR_getdents64, FD(1), BUF(0), 1024);
	both_fd(3, NR_open, STR("."), O_TMPFILE_BIT | O_DIRECTORY | O_RDWR, 0600);
	both(NR_write, FD(3), STR("x"), 1);
	both(NR_linkat, FD(3), STR(""), (uint64_t)AT_FDCWD, STR("tmpname"), AT_EMPTY_PATH);
	both(NR_stat, STR("tmpname"), BUF(0));
	both_same_stat();
	for (unsigned i = 1; i <= 3; i++)
		both(NR_close, FD(i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_calls),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_link_limits),
		cmocka_unit_test(test_large_directory),
	};

	return cmocka_run_group_tests(tests, both_setup, both_teardown);
}
