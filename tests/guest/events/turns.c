/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns on one processor: a loop of events that always has some lets whoever else waits run after each round (poll, select, epoll_wait), and
 * a thread that computes does not cost it a slice for each of them. Most Linux machines have more processors: written by hand.
 */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

#define TIMES 200
#define MANY  10
#define FEW   10 /* one, unless the machine did not run us for a slice just then */

static int ep, always, letter[2];
static volatile unsigned seen, rounds, jump_max;
static volatile bool stop;

static void *other(void *arg)
{
	char c;

	while (read(letter[0], &c, 1) == 1)
		seen++;
	return NULL;
}

static void by_epoll(void)
{
	struct epoll_event ev;

	NEED(epoll_wait(ep, &ev, 1, -1) == 1);
}

static void by_poll(void)
{
	struct pollfd p = {.fd = always, .events = POLLIN};

	NEED(poll(&p, 1, -1) == 1);
}

static void by_select(void)
{
	fd_set in;

	FD_ZERO(&in);
	FD_SET(always, &in);
	NEED(select(always + 1, &in, NULL, NULL, NULL) == 1);
}

/* The most rounds that the loop made between a letter to the other thread and its being read. */
static unsigned most_rounds(void (*round)(void))
{
	unsigned most = 0;

	for (unsigned i = 0; i < TIMES; i++) {
		unsigned before = seen, n = 0;

		NEED(write(letter[1], "x", 1) == 1);
		for (; seen == before; n++)
			round();
		most = n > most ? n : most;
	}
	return most;
}

/* Computes, and looks how far the loop has come each time when it got the processor back. */
static void *computes(void *arg)
{
	unsigned last = rounds;

	while (!stop) {
		unsigned now = rounds;

		if (now == last)
			continue;
		jump_max = now - last > jump_max ? now - last : jump_max;
		last = now;
	}
	return NULL;
}

int main(void)
{
	struct epoll_event ev = {.events = EPOLLIN};
	pthread_t thread;

	ep = epoll_create1(0);
	always = eventfd(1, 0);
	NEED(epoll_ctl(ep, EPOLL_CTL_ADD, always, &ev) == 0 && pipe(letter) == 0);
	thread = start_thread(other, NULL);
	ASK(most_rounds(by_epoll) <= FEW);
	ASK(most_rounds(by_poll) <= FEW);
	ASK(most_rounds(by_select) <= FEW);
	close(letter[1]);
	pthread_join(thread, NULL);
	thread = start_thread(computes, NULL);
	while (jump_max <= MANY) { /* for ever, if each slice of the other costs one round */
		by_epoll();
		rounds++;
	}
	stop = true;
	pthread_join(thread, NULL);
	ASK(jump_max > MANY);
	return 0;
}
