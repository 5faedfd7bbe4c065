/* SPDX-License-Identifier: Apache-2.0 */
/* Waiters are moved to another word without being woken. */
#include "tests/guest/guest.h"

#include "tests/guest/futex.h"

static uint32_t a, b;
static int woken;
static void *waiter(void *arg)
{
	if (syscall(SYS_futex, &a, FUTEX_WAIT | FUTEX_PRIVATE, 0, NULL, NULL, 0) == 0)
		__atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}
int main(void)
{
	pthread_t t[5];
	long moved = 0, waked = 0;

	for (int i = 0; i < 5; i++)
		t[i] = start_thread(waiter, NULL);
	/* All five are counted as they come: woken or moved. */
	while (moved < 5) {
		moved += syscall(SYS_futex, &a, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE, 0, 10, &b, 0);
		sleep_ms(1);
	}
	say("moved %ld woken %d\n", moved, woken);
	SHOW(syscall(SYS_futex, &a, FUTEX_WAKE | FUTEX_PRIVATE, 10, NULL, NULL, 0));
	SHOW(syscall(SYS_futex, &b, FUTEX_WAKE | FUTEX_PRIVATE, 2, NULL, NULL, 0));
	SHOW(syscall(SYS_futex, &b, FUTEX_REQUEUE | FUTEX_PRIVATE, 1, 1, &a, 0));
	waked += syscall(SYS_futex, &a, FUTEX_WAKE | FUTEX_PRIVATE, 10, NULL, NULL, 0);
	waked += syscall(SYS_futex, &b, FUTEX_WAKE | FUTEX_PRIVATE, 10, NULL, NULL, 0);
	say("%ld\n", waked);
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	say("woken %d\n", woken);
	return 0;
}
