/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void without_err_only_the_code(void **state)
{
	assert_int_equal(err_set(NULL, ENOENT, "x"), -ENOENT);
	assert_int_equal(err_sys(NULL, EIO, "x"), -EIO);
	assert_true(err_prefix(NULL, "x") < 0);
}

static void sentence_and_code(void **state)
{
	struct err err = {0};

	assert_int_equal(err_set(&err, EINVAL, "cannot read %s", "a"), -EINVAL);
	assert_int_equal(err.code, EINVAL);
	assert_string_equal(err.msg, "cannot read a");
	assert_int_equal(err_sys(&err, ENOENT, "open %d", 7), -ENOENT);
	assert_string_equal(err.msg, "open 7: No such file or directory");
}

static void layers_add_their_what(void **state)
{
	struct err err = {0};

	err_set(&err, EBUSY, "bridge is in use");
	assert_int_equal(err_prefix(&err, "network %s", "n0"), -EBUSY);
	assert_int_equal(err_prefix(&err, "start"), -EBUSY);
	assert_string_equal(err.msg, "start: network n0: bridge is in use");
}

static void long_sentences_are_cut(void **state)
{
	struct err err = {0};
	char text[2 * ERR_MSG_BYTES];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, EIO, "%s", text);
	assert_int_equal(strlen(err.msg), ERR_MSG_BYTES - 1);
	err_sys(&err, EIO, "%s", text);
	assert_int_equal(strlen(err.msg), ERR_MSG_BYTES - 1);
	err_prefix(&err, "%s", text);
	assert_int_equal(strlen(err.msg), ERR_MSG_BYTES - 1);
	assert_int_equal(err.code, EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_err_only_the_code),
		cmocka_unit_test(sentence_and_code),
		cmocka_unit_test(layers_add_their_what),
		cmocka_unit_test(long_sentences_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
