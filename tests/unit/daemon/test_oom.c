/* SPDX-License-Identifier: Apache-2.0 */
/* Scores of children of a process with this score and that, and counts in files as the kernel writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/oom.h"
#include "lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANNOT 2 /* the child's status */

/* In a process of its own, which may not get back to the score that it had. */
static int child_of(const char *own, const char *wanted)
{
	char text[OOM_TEXT_BYTES];
	int fd, status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, own, strlen(own)) < 0)
			_exit(CANNOT);
		oom_child_score(text);
		_exit(strcmp(text, wanted) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_score(void **state)
{
	static const struct {
		const char *own, *wanted;
	} rows[] = {{"-900", "500"}, {"0", "500"}, {"1", "501"}, {"500", "1000"}, {"999", "1000"},
		{"1000", "1000"}};
	unsigned cannot = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = child_of(rows[i].own, rows[i].wanted);

		cannot += r == CANNOT;
		if (r == 1)
			fail_msg("of a process with %s", rows[i].own);
	}
	assert_true(cannot < ARRAY_SIZE(rows)); /* 1000 anybody may have */
}

static void test_kills(void **state)
{
	static const struct {
		const char *text;
		uint64_t kills;
	} rows[] = {{"", 0}, {"oom_kill", 0}, {"oom_kill 12", 12}, {"oom 9\noom_kill 1\n", 1},
		{"no_oom_kill 4\noom_kill 2\nx 1\n", 2}, {"no_oom_kill 4\n", 0},
		{"oom_group_kill 5\n", 0}, {"oom_kill x\n", 0}};
	char path[] = "/tmp/uig-test-oom-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = strlen(rows[i].text);

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, rows[i].text, len, 0), len);
		assert_int_equal(oom_kills(AT_FDCWD, path), rows[i].kills);
	}
	close(fd);
	unlink(path);
	assert_int_equal(oom_kills(AT_FDCWD, path), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_score),
		cmocka_unit_test(test_kills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
