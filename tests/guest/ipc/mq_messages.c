/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX message queues: order by priority, readiness, threads that wait, times, signals that end a wait or begin it again. */
#include "tests/guest/guest.h"

#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>

static mqd_t q;

static void put(unsigned prio, const char *text)
{
	NEED(mq_send(q, text, strlen(text) + 1, prio) == 0);
}

static void get(void)
{
	unsigned prio = 0;
	char text[32];
	ssize_t n = mq_receive(q, text, sizeof(text), &prio);

	say("%zd %u %s\n", n, prio, n < 0 ? errname(errno) : text);
}

static void ready(void)
{
	struct pollfd p = {.fd = q, .events = POLLIN | POLLOUT};

	NEED(poll(&p, 1, 0) >= 0);
	say("ready %x\n", p.revents);
}

static void order(void)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLET}, got;
	int ep = epoll_create1(0);

	NEED(epoll_ctl(ep, EPOLL_CTL_ADD, q, &e) == 0);
	ready();
	SHOW(epoll_wait(ep, &got, 1, 0));
	put(1, "low");
	SHOW(epoll_wait(ep, &got, 1, 0));
	SHOW(epoll_wait(ep, &got, 1, 0));
	put(9, "high");
	SHOW(epoll_wait(ep, &got, 1, 0));
	put(1, "low again");
	ready();
	put(5, "middle");
	ready();
	for (int i = 0; i < 4; i++)
		get();
	ready();
	close(ep);
}

struct job {
	pthread_t thread;
	bool sends;
	long result;
	int error;
	struct timespec *until;
	char text[32];
};

static void *work(void *arg)
{
	struct job *j = arg;

	j->result = j->sends ? mq_timedsend(q, "from a thread", 14, 3, j->until)
			     : mq_timedreceive(q, j->text, sizeof(j->text), NULL, j->until);
	j->error = j->result < 0 ? errno : 0;
	return NULL;
}

static void ended(const char *who, struct job *j)
{
	pthread_join(j->thread, NULL);
	say("%s: %ld %s %s\n", who, j->result, errname(j->error), j->text);
}

static volatile int caught;
static void handler(int signo, siginfo_t *info, void *context)
{
	caught++;
}

static void interrupt(struct job *j)
{
	while (pthread_tryjoin_np(j->thread, NULL) == EBUSY) {
		pthread_kill(j->thread, SIGUSR1);
		sleep_ms(1);
	}
	say("interrupted: %ld %s\n", j->result, errname(j->error));
}

static void waits(void)
{
	static struct job receiver, sender = {.sends = true}, timed;
	struct timespec soon;

	receiver.thread = start_thread(work, &receiver);
	put(0, "for the receiver");
	ended("receiver", &receiver);
	for (int i = 0; i < 4; i++)
		put(0, "full");
	sender.thread = start_thread(work, &sender);
	get();
	ended("sender", &sender);
	get();
	for (int i = 0; i < 3; i++)
		get();
	NEED(clock_gettime(CLOCK_REALTIME, &soon) == 0);
	soon.tv_nsec += 20000000;
	soon.tv_sec += soon.tv_nsec / 1000000000;
	soon.tv_nsec %= 1000000000;
	timed.until = &soon;
	timed.thread = start_thread(work, &timed);
	ended("timed", &timed);
}

static void signals(void)
{
	static struct job j;

	on_signal(SIGUSR1, handler, 0);
	j.thread = start_thread(work, &j);
	interrupt(&j);
	on_signal(SIGUSR1, handler, SA_RESTART);
	caught = 0;
	j.thread = start_thread(work, &j);
	while (caught < 3) {
		int before = caught;

		pthread_kill(j.thread, SIGUSR1);
		while (caught == before)
			sleep_ms(1);
	}
	put(0, "after three");
	ended("restarted", &j);
}

int main(void)
{
	struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 32};

	q = mq_open("/messages", O_RDWR | O_CREAT | O_EXCL, 0600, &a);
	NEED(q >= 0);
	order();
	waits();
	signals();
	SHOW(mq_unlink("/messages"));
	SHOW(mq_close(q));
	return 0;
}
