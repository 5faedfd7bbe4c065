/* SPDX-License-Identifier: Apache-2.0 */
/* futex(2) by the raw call: comparisons, time limits, bad arguments. */
#include "tests/guest/futex.h"
#include "tests/guest/guest.h"

#include <limits.h>

int main(void)
{
	static uint32_t words[2] = {5}, *const word_p = words;
	struct timespec ms20 = {0, 20000000}, bad = {0, 1000000000}, past = {1, 0}, at;
	int64_t from;

	SHOW(syscall(SYS_futex, word_p, FUTEX_WAIT, 4, NULL, NULL, 0));
	SHOW(syscall(SYS_futex, word_p, FUTEX_WAIT | FUTEX_PRIVATE, 4, NULL, NULL, 0));
	from = now_ns();
	SHOW(syscall(SYS_futex, word_p, FUTEX_WAIT | FUTEX_PRIVATE, 5, &ms20, NULL, 0));
	ASK(now_ns() - from >= 20000000);
	SHOW(syscall(SYS_futex, word_p, FUTEX_WAIT, 5, &bad, NULL, 0));
	SHOW(syscall(SYS_futex, word_p, FUTEX_WAIT_BITSET, 5, &past, NULL, FUTEX_MATCH_ANY));
	SHOW(syscall(SYS_futex, word_p, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 5, &past, NULL,
		FUTEX_MATCH_ANY));
	SHOW(syscall(SYS_futex, word_p, FUTEX_WAIT_BITSET, 5, &past, NULL, 0));
	from = now_ns();
	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += 10000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	SHOW(syscall(SYS_futex, word_p, FUTEX_WAIT_BITSET | FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME, 5,
		&at, NULL, FUTEX_MATCH_ANY));
	ASK(now_ns() - from >= 9000000);
	SHOW(syscall(SYS_futex, word_p, FUTEX_WAKE, 10, NULL, NULL, 0));
	SHOW(syscall(SYS_futex, word_p, FUTEX_WAKE, INT_MAX, NULL, NULL, 0));
	SHOW(syscall(SYS_futex, (char *)word_p + 1, FUTEX_WAIT, 5, &ms20, NULL, 0));
	SHOW(syscall(SYS_futex, (char *)word_p + 1, FUTEX_WAKE, 1, NULL, NULL, 0));
	SHOW(syscall(SYS_futex, BAD_PTR, FUTEX_WAIT, 5, &ms20, NULL, 0));
	SHOW(syscall(SYS_futex, word_p, FUTEX_WAIT, 5, BAD_PTR, NULL, 0));
	SHOW(syscall(SYS_futex, word_p, 99, 5, NULL, NULL, 0));
	SHOW(syscall(SYS_futex, word_p, FUTEX_CMP_REQUEUE, 1, (void *)1, word_p + 1, 4));
	return 0;
}
