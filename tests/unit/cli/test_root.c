/* SPDX-License-Identifier: Apache-2.0 */
/* The root folder of an image: nothing is written outside of it. */
#include "tests/unit/cli/test.h"

#include "cli/image/root.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

struct fixture {
	struct root context, root; /* a context is a folder like any other */
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};

	assert_non_null(f);
	assert_int_equal(root_new(&f->context, &err), 0);
	assert_int_equal(root_new(&f->root, &err), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char dir[4096];

	snprintf(dir, sizeof(dir), "%s", f->root.temp.path);
	root_fini(&f->root);
	assert_int_equal(access(dir, F_OK), -1);
	root_fini(&f->context);
	free(f);
	return 0;
}

static int open_path(const struct root *r, const char *path)
{
	return openat(r->fd, path, O_RDONLY | O_CLOEXEC);
}

static void assert_text(const struct root *r, const char *path, const char *wanted)
{
	int fd _cleanup_close_ = open_path(r, path);
	char text[256] = "";

	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text) - 1), strlen(wanted));
	assert_string_equal(text, wanted);
}

static void test_files(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct stat st;
	mode_t before = umask(0077);

	assert_int_equal(root_add_text(&f->root, "/a/b/c", "hello", &err), 0);
	umask(before);
	assert_text(&f->root, "a/b/c", "hello");
	assert_int_equal(fstatat(f->root.fd, "a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(fstatat(f->root.fd, "a/b/c", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(root_add_text(&f->root, "/a/b/c", "again", &err), -EEXIST);
	assert_int_equal(root_add_text(&f->root, "/a/b/c/d", "x", &err), -ENOTDIR);
	assert_text(&f->root, "a/b/c", "hello");
	assert_int_equal(root_add_folder(&f->root, "/a/b", &err), 0);
}

static void test_links_do_not_lead_out_of_the_image(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	int tree _cleanup_close_ = -1;

	assert_int_equal(root_add_folder(&f->context, "/tree/sub", &err), 0);
	assert_int_equal(symlinkat("/tmp", f->context.fd, "tree/evil"), 0);
	assert_int_equal(root_add_text(&f->context, "/tree/sub/file", "x", &err), 0);
	tree = open_path(&f->context, "tree");
	assert_int_equal(root_add_tree(&f->root, "/t", tree, NULL, NULL, &err), 0);
	assert_text(&f->root, "t/sub/file", "x");
	assert_int_equal(
		root_add_text(&f->root, "/t/evil/uigniter-test-escaped", "x", &err), -ELOOP);
	assert_int_equal(root_add_folder(&f->root, "/t/evil/uigniter-test-escaped", &err), -ELOOP);
	assert_int_equal(access("/tmp/uigniter-test-escaped", F_OK), -1);
}

/* Counts files and folders; the third is refused. */
static int refuse_third(void *arg, int fd, struct err *err)
{
	int *count = arg;

	(void)fd;
	return ++*count == 3 ? err_set(err, EACCES, "the third") : 0;
}

static void test_visitor(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	int tree _cleanup_close_ = -1, count = 0;

	assert_int_equal(root_add_text(&f->context, "/tree/a", "x", &err), 0);
	assert_int_equal(root_add_text(&f->context, "/tree/b", "x", &err), 0);
	tree = open_path(&f->context, "tree");
	assert_int_equal(root_add_tree(&f->root, "/t", tree, refuse_third, &count, &err), -EACCES);
	assert_string_equal(err.msg, "the third");
	assert_text(&f->root, "t/a", "x");
	assert_int_equal(faccessat(f->root.fd, "t/b", F_OK, 0), -1);
}

static void test_special_files_are_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	int tree _cleanup_close_ = -1;

	assert_int_equal(root_add_folder(&f->context, "/tree", &err), 0);
	assert_int_equal(mkfifoat(f->context.fd, "tree/fifo", 0644), 0);
	tree = open_path(&f->context, "tree");
	assert_int_equal(root_add_tree(&f->root, "/t", tree, NULL, NULL, &err), -EINVAL);
	assert_contains(err.msg, "no file or folder");
}

static void test_depth_and_count(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	char path[256] = "/deep";
	int tree _cleanup_close_ = -1;

	for (int i = 0; i < 40; i++)
		strcat(path, "/d");
	assert_int_equal(root_add_folder(&f->context, path, &err), 0);
	tree = open_path(&f->context, "deep");
	assert_int_equal(root_add_tree(&f->root, "/t", tree, NULL, NULL, &err), -ELOOP);
	f->root.files = ROOT_MAX_FILES;
	assert_int_equal(root_add_text(&f->root, "/one/more", "x", &err), -E2BIG);
}

static void test_system_files(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct stat st;

	assert_int_equal(root_add_text(&f->root, "/etc/hosts", "mine", &err), 0);
	assert_int_equal(root_add_system(&f->root, "-- /bin/x", &err), 0);
	assert_text(&f->root, "etc/hosts", "mine");
	assert_text(&f->root, "etc/uigniter/cmdline", "-- /bin/x");
	assert_int_equal(fstatat(f->root.fd, "proc", &st, 0), 0);
	assert_int_equal(fstatat(f->root.fd, "etc/passwd", &st, 0), 0);
	/* The libOS's to make, which lets be what is there. */
	assert_int_equal(fstatat(f->root.fd, "etc/resolv.conf", &st, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_links_do_not_lead_out_of_the_image, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_visitor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_special_files_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_depth_and_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_system_files, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
