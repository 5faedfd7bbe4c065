/* SPDX-License-Identifier: Apache-2.0 */
/* A full pipe holds the writer up as long as somebody reads; what is lost when nobody does is told of where it is missing, once, with its size. */
#include "vmm/virtio/console.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LOST            1000
#define PIPE_FULL_BYTES (15 * 4096 + 1) /* 16 pages, the last of them begun (pipe(7)) */

static size_t drain(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, size - len)) > 0)
		len += (size_t)n;
	return len;
}

static void say(struct console_dev *c, const char *text)
{
	while (*text)
		console_debug(c, (uint8_t)*text++);
}

static void test_gap(void **state)
{
	struct console_dev c = {.left = 1 << 20};
	static char text[1 << 20];
	char told[128];
	int ends[2];
	size_t len;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	c.fd = ends[1];
	while (c.lost < LOST)
		say(&c, "x");
	assert_int_equal(c.gap, LOST);
	len = drain(ends[0], text, sizeof(text));
	assert_int_equal(len, c.bytes);
	assert_null(memchr(text, '[', len));
	say(&c, "ab");
	len = drain(ends[0], text, sizeof(text));
	snprintf(told, sizeof(told),
		"\n[uvmm: %u bytes are missing here: they came faster than they were read]\nab",
		LOST);
	assert_int_equal(len, strlen(told));
	assert_memory_equal(text, told, len);
	say(&c, "c");
	assert_int_equal(drain(ends[0], text, sizeof(text)), 1);
	close(ends[0]);
	close(ends[1]);
}

/* Nothing more comes that could bring the line along. */
static void test_gap_at_the_end(void **state)
{
	struct console_dev c = {.left = 1 << 20};
	static char text[1 << 20];
	int ends[2];
	size_t len;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	c.fd = ends[1];
	while (c.lost < LOST)
		say(&c, "x");
	console_end(&c); /* nobody reads: it is not said, and nobody is held up */
	assert_int_equal(c.gap, LOST);
	drain(ends[0], text, sizeof(text));
	console_end(&c);
	len = drain(ends[0], text, sizeof(text) - 1);
	text[len] = '\0';
	assert_string_equal(text,
		"\n[uvmm: 1000 bytes are missing here: they came faster than they were read]\n");
	console_end(&c);
	assert_int_equal(drain(ends[0], text, sizeof(text)), 0);
	close(ends[0]);
	close(ends[1]);
}

/* Reads when the pipe is full, to its end. How much there was. */
static void *read_late(void *arg)
{
	int fd = *(int *)arg, full = 0;
	char piece[4096];
	size_t sum = 0;
	ssize_t n;

	while (full < PIPE_FULL_BYTES) {
		if (ioctl(fd, FIONREAD, &full) < 0)
			return NULL;
		sched_yield();
	}
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		sum += (size_t)n;
	return (void *)sum;
}

static void test_waits_for_a_reader(void **state)
{
	struct console_dev c = {.left = 1 << 20, .patience_ns = 1000 * NS_PER_S};
	pthread_t reader;
	void *sum;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	c.fd = ends[1];
	assert_int_equal(pthread_create(&reader, NULL, read_late, &ends[0]), 0);
	for (int n = 0; n < 4 * PIPE_FULL_BYTES; n++)
		say(&c, "x");
	close(ends[1]);
	assert_int_equal(pthread_join(reader, &sum), 0);
	assert_int_equal((size_t)sum, 4 * PIPE_FULL_BYTES);
	assert_int_equal(c.lost, 0);
	assert_int_equal(c.gap, 0);
	close(ends[0]);
}

/* Who does not read costs one wait, not one for each byte, until he has read. */
static void test_gives_up(void **state)
{
	struct console_dev c = {.left = 1 << 20, .patience_ns = NS_PER_MS};
	static char text[1 << 20];
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	c.fd = ends[1];
	while (!c.lost)
		say(&c, "x");
	assert_true(c.given_up);
	c.patience_ns = 1000 * NS_PER_S;
	for (int n = 1; n < LOST; n++)
		say(&c, "x");
	assert_int_equal(c.gap, LOST);
	drain(ends[0], text, sizeof(text));
	say(&c, "ab");
	assert_false(c.given_up);
	close(ends[0]); /* that nobody can read any more is no reason to wait either */
	while (c.lost < 2 * LOST)
		say(&c, "x");
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_gap),
		cmocka_unit_test(test_gap_at_the_end), cmocka_unit_test(test_waits_for_a_reader),
		cmocka_unit_test(test_gives_up)};

	signal(SIGPIPE, SIG_IGN);

	return cmocka_run_group_tests(tests, NULL, NULL);
}
