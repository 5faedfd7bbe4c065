/* SPDX-License-Identifier: Apache-2.0 */
/* The frame to the byte, as RFC 826 and RFC 5227 have it. */
#include "daemon/network/announce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void frame(void **state)
{
	static const uint8_t of[MAC_BYTES] = {2, 'u', 10, 0, 0, 7},
			     to[MAC_BYTES] = {2, 'u', 10, 0, 0, 9};
	static const uint8_t wanted[ANNOUNCE_FRAME_BYTES] = {2, 'u', 10, 0, 0, 9, 2, 'u', 10, 0, 0,
		7, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 'u', 10, 0, 0, 7, 10, 0, 0, 7, 0, 0, 0, 0, 0, 0,
		10, 0, 0, 7};
	uint8_t made[ANNOUNCE_FRAME_BYTES];

	(void)state;
	announce_frame(0x0a000007, of, to, made);
	assert_memory_equal(made, wanted, sizeof(wanted));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(frame)};

	return cmocka_run_group_tests_name("announce", tests, NULL, NULL);
}
