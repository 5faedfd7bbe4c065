/* SPDX-License-Identifier: Apache-2.0 */
/* Semaphores of System V between threads: who waits is served in order, as a whole; removal and signals end a wait. */
#include "tests/guest/guest.h"

#include <sys/sem.h>

static int id;

struct job {
	struct sembuf op[2];
	unsigned n;
	int result, error;
	pthread_t thread;
};

static void *work(void *arg)
{
	struct job *j = arg;

	j->result = semop(id, j->op, j->n);
	j->error = j->result < 0 ? errno : 0;
	return NULL;
}

/* Waits until so many threads wait at a semaphore. */
static void until(int num, int what, int n)
{
	while (semctl(id, num, what) != n)
		sleep_ms(1);
}

static void ended(const char *who, struct job *j)
{
	pthread_join(j->thread, NULL);
	say("%s: %d %s\n", who, j->result, errname(j->error));
}

static void order(void)
{
	struct job two = {.op = {{0, -2, 0}}, .n = 1}, one = {.op = {{0, -1, 0}}, .n = 1};

	two.thread = start_thread(work, &two);
	until(0, GETNCNT, 1);
	one.thread = start_thread(work, &one);
	until(0, GETNCNT, 2);
	SHOW(semop(id, &(struct sembuf){0, 1, 0}, 1));
	ended("one", &one);
	say("value %d, waiting %d\n", semctl(id, 0, GETVAL), semctl(id, 0, GETNCNT));
	SHOW(semctl(id, 0, SETVAL, 5));
	ended("two", &two);
	say("value %d\n", semctl(id, 0, GETVAL));
}

static void whole(void)
{
	struct job both = {.op = {{0, -1, 0}, {1, -1, 0}}, .n = 2},
		   zero = {.op = {{0, 0, 0}, {1, 1, 0}}, .n = 2};

	NEED(semctl(id, 0, SETVAL, 1) == 0);
	both.thread = start_thread(work, &both);
	until(1, GETNCNT, 1);
	say("not taken: %d\n", semctl(id, 0, GETVAL));
	zero.thread = start_thread(work, &zero);
	until(0, GETZCNT, 1);
	SHOW(semop(id, (struct sembuf[]){{0, -1, 0}}, 1));
	ended("zero", &zero);
	SHOW(semop(id, (struct sembuf[]){{0, 1, 0}}, 1));
	ended("both", &both);
	say("values %d %d\n", semctl(id, 0, GETVAL), semctl(id, 1, GETVAL));
}

static void *caught;
static void handler(int signo, siginfo_t *info, void *context)
{
	caught = context;
}

static void ends(void)
{
	struct job a = {.op = {{0, -1, 0}}, .n = 1}, b = {.op = {{1, -1, 0}}, .n = 1};

	on_signal(SIGUSR1, handler, SA_RESTART);
	a.thread = start_thread(work, &a);
	b.thread = start_thread(work, &b);
	until(0, GETNCNT, 1);
	until(1, GETNCNT, 1);
	pthread_kill(a.thread, SIGUSR1);
	ended("interrupted", &a);
	ASK(caught != NULL);
	say("waiting %d\n", semctl(id, 0, GETNCNT));
	SHOW(semctl(id, 0, IPC_RMID));
	ended("removed", &b);
}

int main(void)
{
	id = semget(IPC_PRIVATE, 2, 0600);
	NEED(id >= 0);
	order();
	whole();
	ends();
	return 0;
}
