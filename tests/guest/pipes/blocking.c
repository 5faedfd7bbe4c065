/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes between threads: waiting readers and writers, and who is woken when the other end goes. */
#include "tests/guest/guest.h"

#define LEN (3u << 20)

static int p[2];
static unsigned char *data;

static void *writer(void *arg)
{
	for (size_t done = 0; done < LEN;) {
		ssize_t n = write(p[1], data + done, LEN - done < 10007 ? LEN - done : 10007);

		NEED(n > 0);
		done += (size_t)n;
	}
	close(p[1]);
	return NULL;
}

static void *reader_until_end(void *arg)
{
	char c;

	return (void *)read(p[0], &c, 1);
}

static void *writer_until_error(void *arg)
{
	static char block[4096];
	ssize_t n;

	while ((n = write(p[1], block, sizeof(block))) > 0)
		;
	return (void *)(intptr_t)errno;
}

int main(void)
{
	unsigned char *back = malloc(LEN);
	size_t done = 0;
	ssize_t n;
	pthread_t thread;
	void *result;

	signal(SIGPIPE, SIG_IGN);
	data = malloc(LEN);
	NEED(data && back && pipe(p) == 0);
	fill_pattern(data, LEN, 21);
	thread = start_thread(writer, NULL);
	while ((n = read(p[0], back + done, LEN - done < 5003 ? LEN - done + 1 : 5003)) > 0)
		done += (size_t)n;
	pthread_join(thread, NULL);
	ASK(done == LEN && memcmp(data, back, LEN) == 0);
	close(p[0]);

	NEED(pipe(p) == 0);
	thread = start_thread(reader_until_end, NULL);
	sleep_ms(10);
	close(p[1]);
	pthread_join(thread, &result);
	say("reader woke with %ld\n", (long)result);
	close(p[0]);

	NEED(pipe(p) == 0);
	thread = start_thread(writer_until_error, NULL);
	sleep_ms(10);
	close(p[0]);
	pthread_join(thread, &result);
	say("writer woke with %s\n", errname((int)(intptr_t)result));
	return 0;
}
