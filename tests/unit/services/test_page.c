/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "services/ui/page.h"

static void test_render(void **state)
{
	_cleanup_buf_ struct buf out = {0};

	assert_int_equal(page_render(&out, "<i>here</i>", 11), 0);
	assert_memory_equal(out.data, "<!DOCTYPE html>", 15);
	assert_non_null(strstr(out.data, "<i>here</i>"));
	assert_null(strstr(out.data, "<!--CONTENT-->"));
	assert_non_null(strstr(out.data, "</html>"));
}

static void test_files(void **state)
{
	const struct page_file *css = page_file("/app.css"), *js = page_file("/app.js");

	assert_non_null(css);
	assert_non_null(js);
	assert_null(page_file("/"));
	assert_null(page_file("/app.css/"));
	assert_ptr_equal(page_file("/app.css"), css);
	assert_string_not_equal(css->tag, js->tag);
	assert_int_equal(strlen(css->data), css->len); /* a NUL behind, none inside */
	assert_int_equal(css->data[css->len - 1], '\n');
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_render),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
