/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is read from outside of the context but what is public on the machine. */
#include "tests/unit/cli/test.h"

#include "cli/image/root.h"
#include "cli/image/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static int set_up(void **state)
{
	struct root *context = calloc(1, sizeof(*context));
	struct err err = {0};

	assert_non_null(context);
	assert_int_equal(root_new(context, &err), 0);
	*state = context;
	return 0;
}

static int tear_down(void **state)
{
	root_fini(*state);
	free(*state);
	return 0;
}

static void test_context(void **state)
{
	struct root *r = *state;
	struct err err = {0};
	int fd = -1, context = openat(r->fd, ".", O_RDONLY | O_CLOEXEC);

	assert_int_equal(root_add_text(r, "/in/file", "inside", &err), 0);
	assert_int_equal(symlinkat("/etc/passwd", r->fd, "absolute"), 0);
	assert_int_equal(symlinkat("../../../../etc/passwd", r->fd, "up"), 0);
	assert_int_equal(symlinkat("in/file", r->fd, "good"), 0);
	assert_int_equal(symlinkat("/etc", r->fd, "folder"), 0);
	assert_int_equal(symlinkat("loop", r->fd, "loop"), 0);
	assert_int_equal(source_open(context, "absolute", false, &fd, &err), -EXDEV);
	assert_contains(err.msg, "leads out of the context");
	assert_int_equal(source_open(context, "up", false, &fd, &err), -EXDEV);
	assert_int_equal(source_open(context, "folder/passwd", false, &fd, &err), -EXDEV);
	assert_int_equal(source_open(context, "../x", true, &fd, &err), -EXDEV);
	assert_int_equal(source_open(context, "loop", false, &fd, &err), -ELOOP);
	assert_int_equal(source_open(context, "none", false, &fd, &err), -ENOENT);
	assert_int_equal(fd, -1);
	assert_int_equal(source_open(context, "good", false, &fd, &err), 0);
	close(fd);
	close(context);
}

static void test_system_paths(void **state)
{
	static const char *const good[] = {
		"/usr/bin/x", "/bin/x", "/sbin/x", "/lib/x", "/lib64/x", "/etc/x"};
	static const char *const bad[] = {
		"/", "/usr", "/usrx/y", "/root/x", "/home/x", "/var/lib/x", "/proc/1/environ"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(source_is_system_path(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(source_is_system_path(bad[i]));
}

/* Links of the system count by where they lead to. */
static void test_machine(void **state)
{
	struct root *r = *state;
	struct err err = {0};
	char path[PATH_MAX], mine[PATH_MAX];
	int fd = -1;

	assert_int_equal(source_open(-1, "/etc/passwd", false, &fd, &err), 0);
	assert_int_equal(source_path(fd, path, &err), 0);
	assert_string_equal(path, "/etc/passwd");
	close(fd);
	fd = -1;
	assert_int_equal(source_open(-1, "/usr/none", false, &fd, &err), -ENOENT);
	/* /etc/mtab is a link into /proc; an ordinary user cannot read /etc/shadow at all. */
	if (!access("/etc/mtab", R_OK))
		assert_int_equal(source_open(-1, "/etc/mtab", false, &fd, &err), -EACCES);
	assert_int_equal(source_open(-1, "/etc/shadow", false, &fd, &err), -EACCES);
	assert_int_equal(root_add_text(r, "/file", "x", &err), 0);
	snprintf(mine, sizeof(mine), "%s/root/file", r->temp.path);
	assert_int_equal(source_open(-1, mine, false, &fd, &err), -EACCES);
	assert_contains(err.msg, "--host-files");
	assert_int_equal(fd, -1);
	assert_int_equal(source_open(-1, mine, true, &fd, &err), 0);
	close(fd);
}

static void test_public(void **state)
{
	struct root *r = *state;
	struct err err = {0};
	struct stat st;
	int fd _cleanup_close_ = -1;

	assert_int_equal(root_add_text(r, "/file", "x", &err), 0);
	fd = openat(r->fd, "file", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(source_check_public(fd, &err), st.st_uid ? -EACCES : 0);
	assert_int_equal(fchmod(fd, 0640), 0);
	assert_int_equal(source_check_public(fd, &err), -EACCES);
	assert_contains(err.msg, "/root/file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_context, set_up, tear_down),
		cmocka_unit_test(test_system_paths),
		cmocka_unit_test_setup_teardown(test_machine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_public, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
