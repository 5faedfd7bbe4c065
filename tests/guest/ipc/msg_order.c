/* SPDX-License-Identifier: Apache-2.0 */
/* Message queues of System V: choice by type; threads that wait for a message or for room; signals and removal end a wait. */
#include "tests/guest/guest.h"

#include <limits.h>
#include <sys/msg.h>

struct message {
	long type;
	char text[8192];
};

static int id;

static void put(long type, const char *text)
{
	struct message m = {.type = type};

	strcpy(m.text, text);
	NEED(msgsnd(id, &m, strlen(text) + 1, IPC_NOWAIT) == 0);
}

static void get(long type, int flags)
{
	struct message m = {0};
	ssize_t n = msgrcv(id, &m, sizeof(m.text), type, flags | IPC_NOWAIT);

	say("%ld, %x: %zd %ld %s\n", type, flags, n, m.type, n < 0 ? errname(errno) : m.text);
}

static void choice(void)
{
	put(5, "five");
	put(3, "three");
	put(5, "five again");
	put(2, "two");
	put(3, "three again");
	get(9, 0);
	get(5, 0);
	get(-4, 0);
	get(-4, 0);
	get(5, MSG_EXCEPT);
	get(5, MSG_EXCEPT);
	get(0, 0);
	get(0, 0);
	put(7, "");
	get(-LONG_MAX - 1, 0);
}

struct job {
	pthread_t thread;
	long type;
	bool sends;
	ssize_t result;
	int error;
	struct message m;
};

static void *work(void *arg)
{
	struct job *j = arg;

	j->m.type = j->type;
	j->result = j->sends ? msgsnd(id, &j->m, 8192, 0) : msgrcv(id, &j->m, 8192, j->type, 0);
	j->error = j->result < 0 ? errno : 0;
	return NULL;
}

static void ended(const char *who, struct job *j)
{
	pthread_join(j->thread, NULL);
	say("%s: %zd %s %ld\n", who, j->result, errname(j->error), j->m.type);
}

static void handler(int signo, siginfo_t *info, void *context) {}

/* Signals until it heard one: it may not have come to wait yet. */
static void interrupt(struct job *j)
{
	while (pthread_tryjoin_np(j->thread, NULL) == EBUSY) {
		pthread_kill(j->thread, SIGUSR1);
		sleep_ms(1);
	}
	say("interrupted: %zd %s\n", j->result, errname(j->error));
}

static void waits(void)
{
	static struct job for_two = {.type = 2}, for_any = {.type = 0},
			  sender = {.type = 4, .sends = true};

	for_two.thread = start_thread(work, &for_two);
	put(1, "one");
	put(2, "two");
	ended("for two", &for_two);
	get(0, 0);
	for_any.thread = start_thread(work, &for_any);
	interrupt(&for_any);
	for (int i = 0; i < 2; i++) {
		sender.m.type = 8;
		NEED(msgsnd(id, &sender.m, 8192, 0) == 0);
	}
	sender.thread = start_thread(work, &sender);
	interrupt(&sender);
	sender.thread = start_thread(work, &sender);
	SHOW(msgrcv(id, &for_any.m, 8192, 8, 0));
	ended("sender", &sender);
	SHOW(msgrcv(id, &for_any.m, 8192, 4, 0));
	SHOW(msgrcv(id, &for_any.m, 8192, 0, 0));
	for_any.thread = start_thread(work, &for_any);
	SHOW(msgctl(id, IPC_RMID, NULL));
	pthread_join(for_any.thread, NULL);
	say("removed: %zd %s\n", for_any.result,
		for_any.error == EIDRM || for_any.error == EINVAL ? "gone" : "?");
}

int main(void)
{
	on_signal(SIGUSR1, handler, SA_RESTART);
	id = msgget(IPC_PRIVATE, 0600);
	NEED(id >= 0);
	choice();
	waits();
	return 0;
}
