/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of cli/ share: cmocka with its prerequisites, and a parse of words. */
#ifndef TESTS_UNIT_CLI_TEST_H
#define TESTS_UNIT_CLI_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/err.h"
#include "lib/util.h"

#include <stdbool.h>

/* Fails with both texts unless part is in whole. */
#define assert_contains(whole, part)                                                               \
	do {                                                                                       \
		if (!strstr((whole), (part)))                                                      \
			fail_msg("\"%s\" does not contain \"%s\"", (whole), (part));               \
	} while (0)

#endif
