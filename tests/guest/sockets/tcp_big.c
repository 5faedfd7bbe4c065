/* SPDX-License-Identifier: Apache-2.0 */
/* Megabytes in both directions at once, in odd sizes, blocking and not. */
#include "tests/guest/sock.h"

#define LEN (8u << 20)

static unsigned char *data;

static void *sender(void *arg)
{
	int fd = (int)(intptr_t)arg;
	size_t step = 1;

	for (size_t done = 0; done < LEN;) {
		size_t n = step < LEN - done ? step : LEN - done;
		ssize_t r = write(fd, data + done, n);

		NEED(r > 0);
		done += (size_t)r;
		step = step * 7 % 100003 + 1;
	}
	NEED(shutdown(fd, SHUT_WR) == 0);
	return NULL;
}

static void *receiver(void *arg)
{
	int fd = (int)(intptr_t)arg;
	unsigned char *back = malloc(LEN + 1);
	size_t done = 0;
	ssize_t n;

	NEED(back);
	for (;;) {
		n = recv(fd, back + done, LEN + 1 - done, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN) {
			NEED(wait_for(fd, POLLIN) > 0);
			continue;
		}
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	NEED(n == 0);
	return (void *)(intptr_t)(done == LEN && memcmp(back, data, LEN) == 0);
}

int main(void)
{
	pthread_t thread[4];
	int fd[2];

	data = malloc(LEN);
	NEED(data);
	fill_pattern(data, LEN, 7);
	tcp_pair(fd);
	for (int i = 0; i < 2; i++) {
		thread[i] = start_thread(sender, (void *)(intptr_t)fd[i]);
		thread[2 + i] = start_thread(receiver, (void *)(intptr_t)fd[i]);
	}
	for (int i = 0; i < 4; i++) {
		void *result;

		pthread_join(thread[i], &result);
		if (i >= 2)
			say("direction %d: %s\n", i - 2, result ? "whole" : "damaged");
	}
	return 0;
}
