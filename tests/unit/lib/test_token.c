/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/token.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define GOOD "0123456789abcdef"

static int read_text(const char *text, mode_t mode, char **token)
{
	char path[] = "/tmp/uig-token-XXXXXX";
	int fd = mkstemp(path), r;
	struct err err = {0};

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	r = token_read(path, token, &err);
	unlink(path);
	assert_int_equal(r, -err.code);
	return r;
}

static void test_read(void **state)
{
	char *token = NULL, wide[300];

	(void)state;
	assert_int_equal(read_text(GOOD "\n", 0600, &token), 0);
	assert_string_equal(token, GOOD);
	free(token);
	assert_int_equal(read_text(GOOD, 0400, &token), 0);
	free(token);
	token = NULL;
	assert_int_equal(read_text(GOOD, 0640, &token), -EACCES);
	assert_int_equal(read_text("", 0600, &token), -EINVAL);
	assert_int_equal(read_text("short\n", 0600, &token), -EINVAL);
	assert_int_equal(read_text(GOOD " \n", 0600, &token), -EINVAL);
	assert_int_equal(read_text(GOOD "\n\n", 0600, &token), -EINVAL);
	memset(wide, 'a', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	assert_int_equal(read_text(wide, 0600, &token), -EINVAL);
	assert_int_equal(token_read("/nonexistent/token", &token, NULL), -ENOENT);
	assert_null(token);
}

static void test_matches(void **state)
{
	(void)state;
	assert_true(token_matches(GOOD, "Bearer " GOOD));
	assert_true(token_matches(GOOD, "bearer " GOOD));
	assert_false(token_matches(GOOD, NULL));
	assert_false(token_matches(GOOD, ""));
	assert_false(token_matches(GOOD, "Bearer "));
	assert_false(token_matches(GOOD, GOOD));
	assert_false(token_matches(GOOD, "Basic " GOOD));
	assert_false(token_matches(GOOD, "Bearer " GOOD "0"));
	assert_false(token_matches(GOOD, "Bearer 0123456789abcde"));
	assert_false(token_matches(GOOD, "Bearer 0123456789abcdeF"));
	assert_false(token_matches(GOOD, "Bearer " GOOD GOOD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
