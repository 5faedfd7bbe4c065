/* SPDX-License-Identifier: Apache-2.0 */
/* FUTEX_LOCK_PI and its kind: errors, handing over, time, the owner's end, signals that do not end the wait. */
#include "tests/guest/guest.h"

#include <linux/futex.h>

static uint32_t word;
static volatile bool locked, caught;

static long pi(int op, const struct timespec *until)
{
	return syscall(SYS_futex, &word, op | FUTEX_PRIVATE_FLAG, 0, until, NULL, 0);
}

static uint32_t self(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

static void errors(void)
{
	struct timespec bad = {0, 1000000000};

	RAW(futex, BAD_PTR, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	RAW(futex, BAD_KERNEL, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	RAW(futex, (char *)&word + 1, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	RAW(futex, BAD_PTR, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	SHOW(pi(FUTEX_UNLOCK_PI, NULL));
	SHOW(pi(FUTEX_LOCK_PI, &bad));
	SHOW(pi(FUTEX_LOCK_PI, NULL));
	ASK(word == self());
	SHOW(pi(FUTEX_LOCK_PI, NULL));
	SHOW(pi(FUTEX_TRYLOCK_PI, NULL));
	SHOW(pi(FUTEX_UNLOCK_PI, NULL));
	say("%x\n", word);
	SHOW(pi(FUTEX_TRYLOCK_PI, NULL));
	SHOW(pi(FUTEX_UNLOCK_PI, NULL));
	word = 0x3ffffff0;
	SHOW(pi(FUTEX_LOCK_PI, NULL));
	SHOW(pi(FUTEX_UNLOCK_PI, NULL));
	word = 0;
}

static void *taker(void *arg)
{
	long r = pi(FUTEX_LOCK_PI, arg);

	say("thread: %ld %s, owner: %s\n", r, errname(r < 0 ? errno : 0),
		(word & FUTEX_TID_MASK) == self() ? "yes" : "no");
	if (r == 0)
		SHOW(pi(FUTEX_UNLOCK_PI, NULL));
	return NULL;
}

static void until_waited_for(void)
{
	while (!(__atomic_load_n(&word, __ATOMIC_SEQ_CST) & FUTEX_WAITERS))
		sleep_ms(1);
}

static void handler(int signo, siginfo_t *info, void *context)
{
	caught = true;
}

static void hand_over(void)
{
	struct timespec past = {1, 0};
	pthread_t thread;

	SHOW(pi(FUTEX_LOCK_PI, NULL));
	pthread_join(start_thread(taker, &past), NULL);
	thread = start_thread(taker, NULL);
	until_waited_for();
	on_signal(SIGUSR1, handler, 0);
	pthread_kill(thread, SIGUSR1);
	while (!caught)
		sleep_ms(1);
	SHOW(pi(FUTEX_TRYLOCK_PI, NULL));
	NEED(pi(FUTEX_UNLOCK_PI, NULL) == 0);
	pthread_join(thread, NULL);
	say("%x\n", word);
}

static void *dies(void *arg)
{
	NEED(pi(FUTEX_LOCK_PI, NULL) == 0);
	locked = true;
	until_waited_for();
	return NULL;
}

static void owner_ends(void)
{
	pthread_t thread = start_thread(dies, NULL);

	while (!locked)
		sleep_ms(1);
	SHOW(pi(FUTEX_LOCK_PI, NULL));
	ASK((word & FUTEX_TID_MASK) == self());
	ASK(word & FUTEX_OWNER_DIED);
	SHOW(pi(FUTEX_UNLOCK_PI, NULL));
	pthread_join(thread, NULL);
}

static pthread_mutex_t m;
static unsigned count;

static void *counts(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		NEED(pthread_mutex_lock(&m) == 0);
		count++;
		if (i % 100 == 0)
			sched_yield();
		NEED(pthread_mutex_unlock(&m) == 0);
	}
	return NULL;
}

static void *leaves_locked(void *arg)
{
	NEED(pthread_mutex_lock(&m) == 0);
	return NULL;
}

static void library(void)
{
	pthread_mutexattr_t attr;
	pthread_t thread[4];

	NEED(pthread_mutexattr_init(&attr) == 0);
	NEED(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT) == 0);
	NEED(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) == 0);
	SHOW_ERR(pthread_mutex_init(&m, &attr));
	for (int i = 0; i < 4; i++)
		thread[i] = start_thread(counts, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	say("%u\n", count);
	pthread_join(start_thread(leaves_locked, NULL), NULL);
	SHOW_ERR(pthread_mutex_lock(&m));
	SHOW_ERR(pthread_mutex_consistent(&m));
	SHOW_ERR(pthread_mutex_unlock(&m));
	SHOW_ERR(pthread_mutex_lock(&m));
	SHOW_ERR(pthread_mutex_unlock(&m));
}

int main(void)
{
	errors();
	hand_over();
	owner_ends();
	library();
	return 0;
}
