/* SPDX-License-Identifier: Apache-2.0 */
/* futex_waitv: several words at once. */
#include "tests/guest/guest.h"

#include "tests/guest/futex.h"

struct waitv {
	uint64_t val, uaddr;
	uint32_t flags, reserved;
};
static uint32_t w[3];
static void *waker(void *arg)
{
	while (syscall(SYS_futex, &w[1], FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0) == 0)
		sleep_ms(2);
	return NULL;
}
int main(void)
{
	struct waitv v[3];
	struct timespec past = {1, 0};
	pthread_t t;

	for (int i = 0; i < 3; i++)
		v[i] = (struct waitv){0, (uintptr_t)&w[i], 2 | FUTEX_PRIVATE, 0};
	SHOW(syscall(449, v, 3, 0, &past, CLOCK_MONOTONIC));
	t = start_thread(waker, NULL);
	SHOW(syscall(449, v, 3, 0, NULL, CLOCK_MONOTONIC));
	pthread_join(t, NULL);
	w[2] = 1;
	SHOW(syscall(449, v, 3, 0, NULL, CLOCK_MONOTONIC));
	w[2] = 0;
	SHOW(syscall(449, v, 0, 0, NULL, CLOCK_MONOTONIC));
	SHOW(syscall(449, v, 129, 0, NULL, CLOCK_MONOTONIC));
	SHOW(syscall(449, v, 3, 1, NULL, CLOCK_MONOTONIC));
	SHOW(syscall(449, NULL, 3, 0, NULL, CLOCK_MONOTONIC));
	SHOW(syscall(449, BAD_PTR, 3, 0, NULL, CLOCK_MONOTONIC));
	SHOW(syscall(449, v, 3, 0, &past, 77));
	v[1].flags = 0x40;
	SHOW(syscall(449, v, 3, 0, NULL, CLOCK_MONOTONIC));
	v[1].flags = 2;
	v[1].reserved = 1;
	SHOW(syscall(449, v, 3, 0, NULL, CLOCK_MONOTONIC));
	return 0;
}
