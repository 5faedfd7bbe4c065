/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/console.h"
#include "lib/loop.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

struct setup {
	struct loop *loop;
	struct console *console;
	int fd;
	char dir[32], path[64], old[96], fifo[64];
};

static int setup(void **state)
{
	struct setup *s = calloc(1, sizeof(*s));

	strcpy(s->dir, "/tmp/uig-console-XXXXXX");
	if (!mkdtemp(s->dir) || loop_new(&s->loop) < 0)
		return -1;
	snprintf(s->fifo, sizeof(s->fifo), "%s/console", s->dir);
	if (console_new(s->loop, s->fifo, &s->console, &s->fd) < 0)
		return -1;
	snprintf(s->path, sizeof(s->path), "%s/log", s->dir);
	snprintf(s->old, sizeof(s->old), "%s/log.1", s->dir);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct setup *s = *state;

	console_free(s->console);
	close(s->fd);
	loop_free(s->loop);
	unlink(s->path);
	for (int n = 1; n <= 4; n++) {
		snprintf(s->old, sizeof(s->old), "%s.%d", s->path, n);
		unlink(s->old);
	}
	unlink(s->fifo);
	rmdir(s->dir);
	free(s);
	return 0;
}

static void say(struct setup *s, const char *text)
{
	assert_int_equal(write(s->fd, text, strlen(text)), strlen(text));
	assert_int_equal(loop_once(s->loop, -1), 0);
}

static void expect_tail(struct setup *s, size_t max, long lines, const char *text)
{
	_cleanup_buf_ struct buf out;

	buf_init(&out, 0);
	assert_int_equal(console_tail(s->path, max, lines, &out), 0);
	assert_string_equal(out.data ? out.data : "", text);
}

static void test_early_bytes_are_kept(void **state)
{
	struct setup *s = *state;

	say(s, "early\n");
	expect_tail(s, 100, -1, "");
	assert_int_equal(console_set_file(s->console, s->path), 0);
	say(s, "late\n");
	expect_tail(s, 100, -1, "early\nlate\n");
}

/* Bytes make the folder of the file, but not one that has been removed with its VM. */
static void test_folder(void **state)
{
	struct setup *s = *state;
	char folder[sizeof(s->path) + 2], file[sizeof(folder) + 4];

	snprintf(folder, sizeof(folder), "%s.d", s->path);
	snprintf(file, sizeof(file), "%s/log", folder);
	assert_int_equal(console_set_file(s->console, file), 0);
	console_make_no_folder(s->console);
	say(s, "late\n");
	assert_int_equal(access(folder, F_OK), -1);
	console_free(s->console);
	assert_int_equal(console_adopt(s->loop, s->fifo, file, &s->console), 0);
	say(s, "first\n");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void test_tail(void **state)
{
	struct setup *s = *state;

	assert_int_equal(console_set_file(s->console, s->path), 0);
	expect_tail(s, 100, 5, "");
	say(s, "a\nbb\n\nccc");
	expect_tail(s, 100, 0, "");
	expect_tail(s, 100, 1, "ccc");
	expect_tail(s, 100, 2, "\nccc");
	expect_tail(s, 100, 3, "bb\n\nccc");
	expect_tail(s, 100, 99, "a\nbb\n\nccc");
	expect_tail(s, 5, -1, "\n\nccc");
	say(s, "\n");
	expect_tail(s, 100, 1, "ccc\n");
	assert_int_equal(rename(s->path, s->old), 0);
	expect_tail(s, 100, 1, "ccc\n");
}

static void test_last_line(void **state)
{
	struct setup *s = *state;
	char longer[600];

	assert_string_equal(console_last_line(s->console), "");
	say(s, "one");
	assert_string_equal(console_last_line(s->console), "");
	say(s, " and\r\n\r\n\n");
	assert_string_equal(console_last_line(s->console), "one and");
	memset(longer, 'x', sizeof(longer));
	longer[598] = '\n';
	longer[599] = '\0';
	say(s, longer);
	assert_int_equal(strlen(console_last_line(s->console)), CONSOLE_LAST_BYTES - 1);
}

/* As when the manager is killed: the reader is gone, the writer goes on, another reader comes. */
static void test_taken_up_again(void **state)
{
	struct setup *s = *state;

	assert_int_equal(console_set_file(s->console, s->path), 0);
	say(s, "first\n");
	console_free(s->console);
	assert_int_equal(write(s->fd, "meanwhile\n", 10), 10);
	assert_int_equal(console_adopt(s->loop, s->fifo, s->path, &s->console), 0);
	assert_string_equal(console_last_line(s->console), "first");
	assert_int_equal(loop_once(s->loop, -1), 0);
	say(s, "after\n");
	assert_string_equal(console_last_line(s->console), "after");
	expect_tail(s, 100, -1, "first\nmeanwhile\nafter\n");
}

static void test_no_fifo(void **state)
{
	struct setup *s = *state;
	struct console *other = NULL;
	int fd = -1;

	assert_int_equal(console_new(s->loop, s->fifo, &other, &fd), -EEXIST);
	assert_int_equal(console_adopt(s->loop, "/nonexistent/fifo", s->path, &other), -ENOENT);
	assert_null(other);
}

static void hear(void *arg, const char *data, size_t len)
{
	struct buf *heard = arg;

	if (data)
		buf_add(heard, data, len);
	else
		buf_addstr(heard, "<end>");
}

static void test_followers(void **state)
{
	struct setup *s = *state;
	_cleanup_buf_ struct buf one, two;
	struct console_follower *follower;

	buf_init(&one, 0);
	buf_init(&two, 0);
	say(s, "before\n");
	assert_non_null(console_follow(s->console, hear, &one));
	follower = console_follow(s->console, hear, &two);
	say(s, "both\n");
	console_unfollow(follower);
	say(s, "one\n");
	assert_int_equal(write(s->fd, "rest", 4), 4);
	console_finish(s->console);
	assert_string_equal(one.data, "both\none\nrest<end>");
	assert_string_equal(two.data, "both\n");
}

static void test_rotation(void **state)
{
	struct setup *s = *state;
	static char line[4096];
	struct stat st;

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 2] = '\n';
	assert_int_equal(console_set_file(s->console, s->path), 0);
	for (size_t bytes = 0; bytes < 3 * CONSOLE_FILE_BYTES; bytes += sizeof(line) - 1)
		say(s, line);
	say(s, "last\n");
	assert_int_equal(console_file_count(s->path), 3);
	assert_int_equal(stat(s->path, &st), 0);
	assert_true((uint64_t)st.st_size <= CONSOLE_FILE_BYTES);
	assert_int_equal(stat(s->old, &st), -1); /* .1 */
	snprintf(s->old, sizeof(s->old), "%s.3", s->path);
	assert_int_equal(stat(s->old, &st), 0);
	assert_int_equal(st.st_size, CONSOLE_FILE_BYTES);
	expect_tail(s, CONSOLE_FILE_BYTES, 1, "last\n");
}

static void fill(struct setup *s, uint64_t bytes)
{
	static char piece[PIPE_BUF];

	memset(piece, 'x', sizeof(piece));
	for (size_t n; bytes; bytes -= n) {
		n = bytes < sizeof(piece) ? bytes : sizeof(piece);
		assert_int_equal(write(s->fd, piece, n), n);
		assert_int_equal(loop_once(s->loop, -1), 0);
	}
}

static void expect_extent(struct console_reader *r, uint64_t begin, uint64_t end)
{
	uint64_t b = 1, e = 1;

	assert_int_equal(console_reader_extent(r, &b, &e), 0);
	assert_int_equal(b, begin);
	assert_int_equal(e, end);
}

static void expect_bytes(struct console_reader *r, uint64_t at, const char *text)
{
	char data[16];

	assert_int_equal(console_reader_read(r, at, data, sizeof(data)), strlen(text));
	assert_memory_equal(data, text, strlen(text));
}

/* A place in the row stays what it is when files are filled, go, and the next reader comes. */
static void test_read_by_offset(void **state)
{
	const uint64_t full = CONSOLE_FILE_BYTES;
	struct setup *s = *state;
	struct console_reader r, late;
	char data[16];

	assert_int_equal(console_set_file(s->console, s->path), 0);
	assert_int_equal(console_reader_init(&r, s->path), 0);
	expect_extent(&r, 0, 0);
	assert_int_equal(console_reader_read(&r, 0, data, sizeof(data)), 0);
	say(s, "begin\n");
	expect_extent(&r, 0, 6);
	expect_bytes(&r, 2, "gin\n");
	fill(s, full - 6 - 3);
	say(s, "abcdef");
	expect_extent(&r, 0, full + 3);
	expect_bytes(&r, full - 3, "abcdef");
	expect_bytes(&r, full, "def");
	fill(s, full);
	expect_extent(&r, full, 2 * full + 3);
	assert_int_equal(console_reader_read(&r, full - 1, data, sizeof(data)), -ESTALE);
	console_free(s->console);
	assert_int_equal(console_adopt(s->loop, s->fifo, s->path, &s->console), 0);
	fill(s, full);
	assert_int_equal(console_reader_init(&late, s->path), 0);
	expect_extent(&late, 2 * full, 3 * full + 3);
	expect_extent(&r, 2 * full, 3 * full + 3);
	console_reader_fini(&late);
	unlink(s->path);
	snprintf(s->old, sizeof(s->old), "%s.3", s->path);
	unlink(s->old);
	expect_extent(&r, 2 * full, 3 * full + 3); /* what is open stays */
	expect_bytes(&r, 3 * full, "xxx");
	console_reader_fini(&r);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_early_bytes_are_kept),
		TEST(test_folder),
		TEST(test_tail),
		TEST(test_last_line),
		TEST(test_taken_up_again),
		TEST(test_no_fifo),
		TEST(test_followers),
		TEST(test_rotation),
		TEST(test_read_by_offset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
