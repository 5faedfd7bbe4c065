/* SPDX-License-Identifier: Apache-2.0 */
/* Waking: counts, order of bits, requeue, wake-op; every waiter wakes exactly once. */
#include "tests/guest/futex.h"
#include "tests/guest/threads.h"

#include <limits.h>

static uint32_t first, second;
static int waiting, woken;
static long tid[8];

struct wait {
	uint32_t *word, bits;
};

static long futex(
	uint32_t *word, int op, uint32_t value, void *arg, uint32_t *word2, uint32_t value3)
{
	return syscall(SYS_futex, word, op, value, arg, word2, value3);
}

static void *waiter(void *arg)
{
	const struct wait *w = arg;

	tid[__atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST)] = syscall(SYS_gettid);
	NEED(futex(w->word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE, 0, NULL, NULL, w->bits) == 0);
	__atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static pthread_t thread[8];

static void start(int n, uint32_t *word, uint32_t bits)
{
	static struct wait w;

	w = (struct wait){word, bits};
	waiting = woken = 0;
	memset(tid, 0, sizeof(tid));
	for (int i = 0; i < n; i++)
		thread[i] = start_thread(waiter, &w);
	for (int i = 0; i < n; i++)
		until_sleeps(&tid[i]);
}

static void join(int n)
{
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	SHOW(woken);
}

int main(void)
{
	start(5, &first, FUTEX_MATCH_ANY);
	SHOW(futex(&first, FUTEX_WAKE | FUTEX_PRIVATE, 2, NULL, NULL, 0));
	SHOW(futex(&first, FUTEX_WAKE | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 0));
	SHOW(futex(&first, FUTEX_WAKE | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 0));
	join(5);
	start(4, &first, 6);
	SHOW(futex(&first, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 1));
	SHOW(futex(&first, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, 1, NULL, NULL, 2));
	SHOW(futex(&first, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 4));
	join(4);
	start(6, &first, FUTEX_MATCH_ANY);
	SHOW(futex(&first, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE, 1, (void *)3, &second, 99));
	SHOW(futex(&first, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE, 1, (void *)3, &second, 0));
	SHOW(futex(&second, FUTEX_WAKE | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 0));
	SHOW(futex(&first, FUTEX_REQUEUE | FUTEX_PRIVATE, 0, (void *)1, &second, 0));
	SHOW(futex(&first, FUTEX_WAKE | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 0));
	SHOW(futex(&second, FUTEX_WAKE | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 0));
	join(6);
	start(3, &first, FUTEX_MATCH_ANY);
	second = 7;
	SHOW(futex(&first, FUTEX_WAKE_OP | FUTEX_PRIVATE, 1, (void *)1, &second,
		FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 7)));
	SHOW(second);
	SHOW(futex(&first, FUTEX_WAKE | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 0));
	join(3);
	return 0;
}
