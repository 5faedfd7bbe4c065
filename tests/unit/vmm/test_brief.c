/* SPDX-License-Identifier: Apache-2.0 */
/* Which waits poll before they sleep (vmm/brief.h). */
#include "vmm/brief.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SHORT (BRIEF_NS / 2)
#define LONG  (BRIEF_NS * 10)

static void sleeps_until_it_pays(void **state)
{
	struct brief b = {0};

	for (int i = 0; i < BRIEF_FROM; i++, brief_note(&b, SHORT))
		assert_false(brief_pays(&b));
	assert_true(brief_pays(&b));
}

static void idle_never_polls(void **state)
{
	struct brief b = {0};

	for (int i = 0; i < 1000; i++) {
		brief_note(&b, LONG); /* a tick */
		brief_note(&b, SHORT);
		brief_note(&b, SHORT); /* and what it brings */
		assert_false(brief_pays(&b));
	}
}

/* However long it went well, a few waits that end late are the end of it. */
static void stops_soon(void **state)
{
	struct brief b = {0};
	int polls = 0;

	for (int i = 0; i < 1000; i++)
		brief_note(&b, SHORT);
	for (; brief_pays(&b); polls++)
		brief_note(&b, LONG);
	assert_in_range(polls, 1, 3);
}

static void one_in_four_is_too_many(void **state)
{
	struct brief b = {0};
	int polls = 0;

	for (int i = 0; i < 4000; i++) {
		polls += brief_pays(&b);
		brief_note(&b, i % 4 == 0 ? LONG : SHORT);
	}
	assert_int_equal(polls, 0);
	for (int i = 0; i < 4000; i++) {
		polls += brief_pays(&b);
		brief_note(&b, i % 16 == 0 ? LONG : SHORT);
	}
	assert_true(polls > 3900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleeps_until_it_pays),
		cmocka_unit_test(idle_never_polls),
		cmocka_unit_test(stops_soon),
		cmocka_unit_test(one_in_four_is_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
