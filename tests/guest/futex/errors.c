/* SPDX-License-Identifier: Apache-2.0 */
/* What futex refuses. */
#include "tests/guest/guest.h"

#include "tests/guest/futex.h"

#define FUTEX(...) SHOW_WITH(show_value, #__VA_ARGS__, syscall(SYS_futex, __VA_ARGS__))
int main(void)
{
	static uint32_t w, v;
	struct timespec bad = {0, -1}, bad2 = {0, 1000000000}, neg = {-1, 0}, zero = {0, 0};

	FUTEX(&w, FUTEX_WAIT, 1, NULL, NULL, 0);
	FUTEX((char *)&w + 1, FUTEX_WAIT, 0, NULL, NULL, 0);
	FUTEX((char *)&w + 2, FUTEX_WAKE, 1, NULL, NULL, 0);
	FUTEX(NULL, FUTEX_WAIT, 0, NULL, NULL, 0);
	FUTEX(BAD_PTR, FUTEX_WAKE, 1, NULL, NULL, 0);
	FUTEX(BAD_KERNEL, FUTEX_WAIT, 0, NULL, NULL, 0);
	FUTEX(BAD_KERNEL, FUTEX_WAKE, 1, NULL, NULL, 0);
	FUTEX(&w, FUTEX_WAIT, 0, &bad, NULL, 0);
	FUTEX(&w, FUTEX_WAIT, 0, &bad2, NULL, 0);
	FUTEX(&w, FUTEX_WAIT, 0, &neg, NULL, 0);
	FUTEX(&w, FUTEX_WAIT, 0, BAD_PTR, NULL, 0);
	FUTEX(&w, FUTEX_WAIT, 0, &zero, NULL, 0);
	FUTEX(&w, FUTEX_WAIT | FUTEX_PRIVATE, 0, &zero, NULL, 0);
	FUTEX(&w, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0);
	FUTEX(&w, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0);
	FUTEX(&w, FUTEX_WAIT_BITSET, 0, &zero, NULL, FUTEX_MATCH_ANY);
	FUTEX(&w, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &zero, NULL, FUTEX_MATCH_ANY);
	FUTEX(&w, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0);
	FUTEX(&w, 77, 0, NULL, NULL, 0);
	FUTEX(&w, 2 /* FUTEX_FD */, 0, NULL, NULL, 0);
	FUTEX(&w, FUTEX_CMP_REQUEUE, 1, 1, &v, 5);
	FUTEX(&w, FUTEX_CMP_REQUEUE, 1, 1, &v, 0);
	FUTEX(&w, FUTEX_REQUEUE, 1, 1, BAD_PTR, 0);
	FUTEX(&w, FUTEX_REQUEUE, -1, 1, &v, 0);
	FUTEX(&w, FUTEX_WAKE_OP, 1, 1, BAD_PTR, FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0));
	FUTEX(&w, FUTEX_WAKE_OP, 1, 1, &v, FUTEX_OP(FUTEX_OP_ADD, 7, FUTEX_OP_CMP_EQ, 0));
	say("%u\n", v);
	FUTEX(&w, FUTEX_WAKE, 0, NULL, NULL, 0);
	FUTEX(&w, FUTEX_WAKE, -1, NULL, NULL, 0);
	return 0;
}
