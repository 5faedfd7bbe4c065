/* SPDX-License-Identifier: Apache-2.0 */
/* mq_notify: by signal, by a thread of the C library, by nothing; one at a time and once; who waits comes first. */
#include "tests/guest/guest.h"

#include <mqueue.h>
#include <semaphore.h>

static mqd_t q;
static volatile int caught;
static siginfo_t info;
static sem_t woken;

static void handler(int signo, siginfo_t *i, void *context)
{
	info = *i;
	caught++;
}

static void by_thread(union sigval value)
{
	say("thread told: %d\n", value.sival_int);
	sem_post(&woken);
}

static void drain(void)
{
	char text[16];

	NEED(mq_receive(q, text, sizeof(text), NULL) >= 0);
}

static void *receive(void *arg)
{
	drain();
	return NULL;
}

static void errors(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};

	RAW(mq_notify, -1, &e);
	RAW(mq_notify, 1, &e);
	RAW(mq_notify, q, BAD_PTR);
	e.sigev_signo = 65;
	RAW(mq_notify, q, &e);
	e.sigev_signo = -1;
	RAW(mq_notify, q, &e);
	e.sigev_notify = 3;
	RAW(mq_notify, q, &e);
	e.sigev_notify = SIGEV_THREAD;
	e.sigev_signo = 99;
	e.sigev_value.sival_ptr = &e;
	RAW(mq_notify, q, &e);
	e.sigev_signo = 1;
	RAW(mq_notify, q, &e);
	e.sigev_value.sival_ptr = BAD_PTR;
	RAW(mq_notify, q, &e);
	RAW(mq_notify, q, NULL);
}

static void by_signal(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR1,
		.sigev_value.sival_int = 4711};
	pthread_t thread;

	SHOW(mq_notify(q, &e));
	SHOW(mq_notify(q, &e));
	NEED(mq_send(q, "x", 1, 0) == 0);
	say("caught %d, code %d, value %d\n", caught, info.si_code, info.si_value.sival_int);
	ASK(info.si_pid == getpid() && info.si_uid == getuid());
	NEED(mq_send(q, "x", 1, 0) == 0);
	say("caught %d\n", caught);
	SHOW(mq_notify(q, &e));
	NEED(mq_send(q, "x", 1, 0) == 0);
	say("not empty: caught %d\n", caught);
	for (int i = 0; i < 3; i++)
		drain();
	SHOW(mq_notify(q, NULL));
	SHOW(mq_notify(q, &e));
	thread = start_thread(receive, NULL);
	NEED(mq_send(q, "x", 1, 0) == 0);
	pthread_join(thread, NULL);
	ASK(caught <= 2); /* once more only when the message came before the thread waited */
	SHOW(mq_notify(q, NULL));
}

static void otherwise(void)
{
	struct sigevent none = {.sigev_notify = SIGEV_NONE};
	struct sigevent t = {.sigev_notify = SIGEV_THREAD,
		.sigev_notify_function = by_thread,
		.sigev_value.sival_int = 42};

	SHOW(mq_notify(q, &none));
	SHOW(mq_notify(q, &none));
	NEED(mq_send(q, "x", 1, 0) == 0);
	drain();
	SHOW(mq_notify(q, &t));
	SHOW(mq_notify(q, &t));
	NEED(mq_send(q, "x", 1, 0) == 0);
	while (sem_wait(&woken) < 0)
		;
	drain();
	SHOW(mq_notify(q, &t));
	SHOW(mq_notify(q, NULL));
	SHOW(mq_notify(q, &none));
}

int main(void)
{
	struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 16};
	mqd_t second;

	sem_init(&woken, 0, 0);
	on_signal(SIGUSR1, handler, 0);
	q = mq_open("/notify", O_RDWR | O_CREAT | O_EXCL, 0600, &a);
	NEED(q >= 0);
	errors();
	by_signal();
	otherwise();
	second = mq_open("/notify", O_RDONLY);
	SHOW(mq_close(second));
	SHOW(mq_notify(q, &(struct sigevent){.sigev_notify = SIGEV_NONE}));
	SHOW(mq_unlink("/notify"));
	return 0;
}
