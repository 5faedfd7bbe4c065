/* SPDX-License-Identifier: Apache-2.0 */
/* FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI: from a word to a lock that knows its owner. */
#include "tests/guest/guest.h"

#include <linux/futex.h>

#define THREADS 4

static uint32_t word, lock, other;
static int ended;
static volatile bool caught;

static long call(uint32_t *at, int op, long val, const void *val2, uint32_t *at2, uint32_t val3)
{
	return syscall(SYS_futex, at, op | FUTEX_PRIVATE_FLAG, val, val2, at2, val3);
}

static long requeue(long nwake, long nmove, uint32_t *to)
{
	return call(&word, FUTEX_CMP_REQUEUE_PI, nwake, (void *)nmove, to, 7);
}

static long pi(int op)
{
	return call(&lock, op, 0, NULL, NULL, 0);
}

static uint32_t self(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

static void *waiter(void *until)
{
	long r = call(&word, FUTEX_WAIT_REQUEUE_PI, 7, until, &lock, 0);

	say("thread: %ld %s, owner: %s\n", r, errname(r < 0 ? errno : 0),
		(lock & FUTEX_TID_MASK) == self() ? "yes" : "no");
	__atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
	if (r == 0)
		NEED(pi(FUTEX_UNLOCK_PI) == 0);
	return NULL;
}

static void *plain(void *arg)
{
	NEED(call(&word, FUTEX_WAIT, 7, NULL, NULL, 0) == 0);
	return NULL;
}

/* One that waits for a lock can not be woken by others: so they see that it is there. */
static void until_it_waits(void)
{
	while (call(&word, FUTEX_WAKE, 1, NULL, NULL, 0) != -1)
		sleep_ms(1);
}

static void errors(void)
{
	struct timespec bad = {0, -1}, past = {1, 0};

	SHOW(call(&word, FUTEX_WAIT_REQUEUE_PI, 7, NULL, &word, 0));
	SHOW(call(&word, FUTEX_WAIT_REQUEUE_PI, 8, NULL, &lock, 0));
	SHOW(call(&word, FUTEX_WAIT_REQUEUE_PI, 7, &bad, &lock, 0));
	SHOW(call(&word, FUTEX_WAIT_REQUEUE_PI, 7, &past, &lock, 0));
	SHOW(call(&word, FUTEX_WAIT_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 7, &past, &lock, 0));
	SHOW(call((void *)((char *)&word + 1), FUTEX_WAIT_REQUEUE_PI, 7, NULL, &lock, 0));
	SHOW(call(&word, FUTEX_WAIT_REQUEUE_PI, 7, NULL, (void *)((char *)&lock + 1), 0));
	SHOW(call(BAD_PTR, FUTEX_WAIT_REQUEUE_PI, 7, NULL, &lock, 0));
	SHOW(requeue(1, 1, &word));
	SHOW(requeue(0, 1, &lock));
	SHOW(requeue(2, 1, &lock));
	SHOW(requeue(1, -1, &lock));
	SHOW(call(&word, FUTEX_CMP_REQUEUE_PI, 1, NULL, &lock, 8));
	SHOW(requeue(1, 1, &lock));
	say("%u %u\n", word, lock);
}

static void lock_is_free(void)
{
	pthread_t thread = start_thread(waiter, NULL);

	until_it_waits();
	SHOW(call(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
	SHOW(call(&word, FUTEX_REQUEUE, 1, (void *)1, &other, 0));
	SHOW(requeue(1, 0, &other));
	NEED(requeue(1, 0, &lock) == 1);
	pthread_join(thread, NULL);
	say("%u\n", lock);
}

static void lock_is_held(void)
{
	pthread_t thread[THREADS];
	long moved = 0;

	SHOW(pi(FUTEX_LOCK_PI));
	for (int i = 0; i < THREADS; i++)
		thread[i] = start_thread(waiter, NULL);
	while (moved < THREADS) {
		moved += requeue(1, INT32_MAX, &lock);
		sleep_ms(1);
	}
	say("moved %ld, waited for: %s\n", moved, lock & FUTEX_WAITERS ? "yes" : "no");
	SHOW(call(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
	NEED(pi(FUTEX_UNLOCK_PI) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	say("%u\n", lock);
}

/* A thread that waits at the word without wanting the lock. */
static void mixed(void)
{
	pthread_t thread = start_thread(plain, NULL);

	while (requeue(1, 1, &lock) != -1)
		sleep_ms(1);
	SHOW(requeue(1, 1, &lock));
	SHOW(call(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
	pthread_join(thread, NULL);
}

static void handler(int signo, siginfo_t *info, void *context)
{
	caught = true;
}

static void interrupt(pthread_t thread)
{
	caught = false;
	pthread_kill(thread, SIGUSR1);
	while (!caught)
		sleep_ms(1);
}

/* A signal before it is moved: it waits on; behind that the call is over. */
static void signals(void)
{
	pthread_t thread;

	on_signal(SIGUSR1, handler, 0);
	SHOW(pi(FUTEX_LOCK_PI));
	thread = start_thread(waiter, NULL);
	until_it_waits();
	interrupt(thread);
	until_it_waits();
	SHOW(requeue(1, 0, &lock));
	interrupt(thread);
	pthread_join(thread, NULL);
	SHOW(pi(FUTEX_UNLOCK_PI));
}

/* The time is over while it waits for the lock. */
static void time_over(void)
{
	struct timespec until;
	pthread_t thread;
	long moved = 0;
	int before = ended;

	SHOW(pi(FUTEX_LOCK_PI));
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 1;
	thread = start_thread(waiter, &until);
	while (!moved && __atomic_load_n(&ended, __ATOMIC_SEQ_CST) == before) {
		moved = requeue(1, 0, &lock);
		sleep_ms(1);
	}
	pthread_join(thread, NULL);
	SHOW(pi(FUTEX_UNLOCK_PI));
}

int main(void)
{
	word = 7;
	errors();
	lock_is_free();
	lock_is_held();
	mixed();
	signals();
	time_over();
	return 0;
}
