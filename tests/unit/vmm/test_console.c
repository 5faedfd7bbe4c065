/* SPDX-License-Identifier: Apache-2.0 */
/* Output that a full pipe loses is told of where it is missing, once, with its size. */
#include "vmm/virtio/console.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LOST 1000

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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_gap)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
