/* SPDX-License-Identifier: Apache-2.0 */
/* Folders that go, also those that resist at first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/trash.h"
#include "lib/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct setup {
	char dir[40], folder[64];
	struct loop *loop;
	struct trash *trash;
};

static void make(const struct setup *s)
{
	char path[96];

	assert_int_equal(mkdir(s->folder, 0700), 0);
	snprintf(path, sizeof(path), "%s/below", s->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/below/file", s->folder);
	assert_int_equal(close(creat(path, 0600)), 0);
	snprintf(path, sizeof(path), "%s/link", s->folder);
	assert_int_equal(symlink("/", path), 0);
}

static int setup(void **state)
{
	struct setup *s = calloc(1, sizeof(*s));

	strcpy(s->dir, "/tmp/uig-trash-XXXXXX");
	if (!mkdtemp(s->dir) || loop_new(&s->loop) < 0 || trash_new(s->loop, &s->trash) < 0)
		return -1;
	snprintf(s->folder, sizeof(s->folder), "%s/folder", s->dir);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct setup *s = *state;

	trash_free(s->trash);
	loop_free(s->loop);
	assert_int_equal(rmdir(s->dir), 0); /* nothing is left in it */
	free(s);
	return 0;
}

static void test_at_once(void **state)
{
	struct setup *s = *state;

	make(s);
	trash_folder(s->trash, s->folder);
	assert_int_equal(access(s->folder, F_OK), -1);
	trash_folder(s->trash, s->folder);
	assert_int_equal(trash_count(s->trash), 0);
}

/* With no descriptor left a folder can not be read. Its name is free at once, itself it goes later. */
static void put_with_no_descriptor_left(struct setup *s)
{
	struct rlimit before, none;

	make(s);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	trash_folder(s->trash, s->folder);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(access(s->folder, F_OK), -1);
}

static void test_later(void **state)
{
	struct setup *s = *state;

	put_with_no_descriptor_left(s);
	put_with_no_descriptor_left(s);
	assert_int_equal(trash_count(s->trash), 2);
	while (trash_count(s->trash))
		assert_int_equal(loop_once(s->loop, -1), 0);
}

static void test_at_the_end(void **state)
{
	put_with_no_descriptor_left(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_at_the_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
