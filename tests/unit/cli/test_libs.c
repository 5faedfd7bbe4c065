/* SPDX-License-Identifier: Apache-2.0 */
/* Loader and libraries of this very test, which is a dynamic program, and of modules beside it. */
#include "tests/unit/cli/test.h"

#include "cli/image/libs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

static int set_up(void **state)
{
	struct root *root = calloc(1, sizeof(*root));
	struct err err = {0};

	assert_non_null(root);
	assert_int_equal(root_new(root, &err), 0);
	*state = root;
	return 0;
}

static int tear_down(void **state)
{
	root_fini(*state);
	free(*state);
	return 0;
}

static bool has(const struct root *root, const char *path)
{
	return !faccessat(root->fd, path, F_OK, AT_SYMLINK_NOFOLLOW);
}

static struct libs *libs_of_this(struct root *root)
{
	char path[PATH_MAX];
	struct libs *libs = NULL;
	struct err err = {0};
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_non_null(realpath("/proc/self/exe", path));
	if (libs_new(root, fd, path, &libs, &err))
		fail_msg("%s", err.msg);
	close(fd);
	return libs;
}

static void test_program(void **state)
{
	struct root *root = *state;
	struct libs *libs = libs_of_this(root);
	struct err err = {0};

	assert_false(libs_is_static(libs));
	assert_int_equal(libs_add(libs, &err), 0);
	libs_free(libs);
	assert_true(has(root, "lib64/ld-linux-x86-64.so.2"));
	assert_true(has(root, "lib/x86_64-linux-gnu/libc.so.6"));
	assert_true(has(root, "lib/x86_64-linux-gnu/libcmocka.so.0"));
	assert_true(has(
		root, "lib/x86_64-linux-gnu/libgcc_s.so.1")); /* nobody names it, glibc opens it */
}

/* A library of this machine, opened. */
static int open_module(const char *name, char path[PATH_MAX])
{
	for (const char *const *f = (const char *const[]){"/usr/lib/x86_64-linux-gnu", "/usr/lib64",
		     "/usr/lib", NULL};
		*f; f++) {
		int fd;

		snprintf(path, PATH_MAX, "%s/%s", *f, name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

/* libpng needs libz, which this test does not. */
static void test_module(void **state)
{
	struct root *root = *state;
	struct libs *libs = libs_of_this(root);
	struct err err = {0};
	char path[PATH_MAX];
	int fd _cleanup_close_ = open_module("libpng16.so.16", path);

	if (fd < 0) {
		libs_free(libs);
		skip();
	}
	assert_int_equal(libs_note(libs, fd, &err), 0);
	assert_int_equal(libs_add(libs, &err), 0);
	libs_free(libs);
	assert_true(has(root, "lib/x86_64-linux-gnu/libz.so.1"));
	assert_false(has(root, "lib/x86_64-linux-gnu/libpng16.so.16"));
}

/* What is no ELF file, or a broken one, is data. */
static void test_data(void **state)
{
	static const char *const texts[] = {"", "x", "\177EL", "\177ELF", "\177ELF rubbish"};
	struct root *root = *state;
	struct libs *libs = libs_of_this(root);
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char path[16];
		int fd;

		snprintf(path, sizeof(path), "/%zu", i);
		assert_int_equal(root_add_text(root, path, texts[i], &err), 0);
		fd = openat(root->fd, path + 1, O_RDONLY | O_CLOEXEC);
		assert_int_equal(libs_note(libs, fd, &err), 0);
		close(fd);
	}
	libs_free(libs);
}

/* A library that the image has at its own place is not there twice. */
static void test_place_is_kept(void **state)
{
	struct root *root = *state;
	struct libs *libs = libs_of_this(root);
	struct err err = {0};

	assert_int_equal(root_add_text(root, "/lib/x86_64-linux-gnu/libc.so.6", "mine", &err), 0);
	assert_int_equal(libs_add(libs, &err), 0);
	assert_int_equal(faccessat(root->fd, "lib/x86_64-linux-gnu/libc.so.6", X_OK, 0), -1);
	libs_free(libs);
}

static void test_not_a_program(void **state)
{
	struct root *root = *state;
	struct libs *libs = NULL;
	struct err err = {0};
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	assert_int_equal(libs_new(root, fd, "/etc/passwd", &libs, &err), -ENOEXEC);
	assert_null(libs);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_program, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_module, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_data, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_place_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_a_program, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
