/* SPDX-License-Identifier: Apache-2.0 */
/* The needs of ELF files: of a real program, of broken copies of it, of files that are none. */
#include "tests/unit/cli/test.h"

#include "cli/image/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

struct file {
	unsigned char *data;
	size_t len;
};

/* This test itself is a dynamic program that needs libjansson. */
static struct file own_program(void)
{
	int fd _cleanup_close_ = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct file f = {0};
	struct stat st;

	assert_true(fd >= 0 && !fstat(fd, &st));
	f.len = (size_t)st.st_size;
	f.data = malloc(f.len);
	assert_non_null(f.data);
	assert_int_equal(pread(fd, f.data, f.len, 0), f.len);
	return f;
}

static bool needs_library(const struct elf_needs *n, const char *prefix)
{
	for (unsigned int i = 0; i < n->nneeded; i++)
		if (!strncmp(n->needed[i], prefix, strlen(prefix)))
			return true;
	return false;
}

static void test_dynamic_program(void **state)
{
	struct file f = own_program();
	static struct elf_needs n;
	struct err err = {0};

	assert_int_equal(elf_needs(f.data, f.len, &n, &err), 0);
	assert_contains(n.loader, "/ld-");
	assert_true(needs_library(&n, "libc."));
	assert_true(needs_library(&n, "libcmocka"));
	free(f.data);
}

/* A file cut anywhere is refused or read within its bounds (the sanitizer watches): copies of exactly that size. */
static void test_cut_short(void **state)
{
	struct file f = own_program();
	static struct elf_needs n;

	for (size_t len = 0; len < f.len; len += len < 1024 ? 1 : 977) {
		unsigned char *copy = malloc(len ? len : 1);
		struct err err = {0};

		assert_non_null(copy);
		memcpy(copy, f.data, len);
		if (len < sizeof(Elf64_Ehdr))
			assert_int_equal(elf_needs(copy, len, &n, &err), -ENOEXEC);
		else
			elf_needs(copy, len, &n, &err);
		free(copy);
	}
	free(f.data);
}

/* Every byte of the headers set to 0xff in turn. */
static void test_damaged(void **state)
{
	struct file f = own_program();
	static struct elf_needs n;
	size_t end = 64 + 56 * 16;

	for (size_t i = 0; i < end; i++) {
		unsigned char was = f.data[i];
		struct err err = {0};
		int rc;

		f.data[i] = 0xff;
		rc = elf_needs(f.data, f.len, &n, &err);
		assert_true(rc == 0 || rc == -ENOEXEC);
		f.data[i] = was;
	}
	free(f.data);
}

static void test_not_programs(void **state)
{
	static struct elf_needs n;
	struct err err = {0};
	struct file f = own_program();

	assert_int_equal(elf_needs("#!/bin/sh\n", 10, &n, &err), -ENOEXEC);
	assert_contains(err.msg, "script");
	assert_int_equal(elf_needs("", 0, &n, &err), -ENOEXEC);
	((Elf64_Ehdr *)f.data)->e_machine = EM_AARCH64;
	assert_int_equal(elf_needs(f.data, f.len, &n, &err), -ENOEXEC);
	assert_contains(err.msg, "not an x86-64");
	free(f.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dynamic_program),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_not_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
