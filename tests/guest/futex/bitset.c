/* SPDX-License-Identifier: Apache-2.0 */
/* Waiters with different bits: each wake reaches those that share one. */
#include "tests/guest/threads.h"

#include "tests/guest/futex.h"

static uint32_t w;
static int woken[3];
static long tid[3];
static void *wait_bits(void *arg)
{
	int i = *(int *)arg;

	__atomic_store_n(&tid[i], syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	if (syscall(SYS_futex, &w, FUTEX_WAIT_BITSET, 0, NULL, NULL, 1u << i) == 0)
		__atomic_store_n(&woken[i], 1, __ATOMIC_SEQ_CST);
	return NULL;
}
static long wake(uint32_t bits)
{
	return syscall(SYS_futex, &w, FUTEX_WAKE_BITSET, 10, NULL, NULL, bits);
}
int main(void)
{
	int index[3] = {0, 1, 2};
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		t[i] = start_thread(wait_bits, &index[i]);
	for (int i = 0; i < 3; i++)
		until_sleeps(&tid[i]);
	SHOW(syscall(SYS_futex, &w, FUTEX_WAKE_BITSET, 10, NULL, NULL, 8));
	SHOW(wake(2));
	pthread_join(t[1], NULL);
	say("%d %d %d\n", woken[0], woken[1], woken[2]);
	SHOW(wake(5));
	pthread_join(t[0], NULL);
	pthread_join(t[2], NULL);
	say("%d %d %d\n", woken[0], woken[1], woken[2]);
	return 0;
}
