/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run folder has one manager at a time, also when one ends, and so removes its lock, while the next waits for it. What a process left
 * there goes with the process, and not before.
 */
#include "daemon/reap.h"
#include "lib/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct folder {
	char run[64], lock[80];
};

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->run, "/tmp/uig-test-reap-XXXXXX");
	assert_non_null(mkdtemp(f->run));
	snprintf(f->lock, sizeof(f->lock), "%s/lock", f->run);
	*state = f;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *f = *state;

	reap_end(f->run);
	assert_int_equal(rmdir(f->run), 0);
	free(f);
	return 0;
}

/* Whether a descriptor of the process leads to the path. */
static bool has_open(pid_t pid, const char *path)
{
	char dir[64], target[PATH_MAX];
	struct dirent *e;
	bool found = false;
	DIR *fds;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
	fds = opendir(dir);
	assert_non_null(fds);
	while (!found && (e = readdir(fds))) {
		ssize_t n = readlinkat(dirfd(fds), e->d_name, target, sizeof(target) - 1);

		target[n < 0 ? 0 : n] = '\0';
		found = strcmp(target, path) == 0;
	}
	closedir(fds);
	return found;
}

/* A process that takes the folder, says through the pipe how that went, and keeps what it got until it is killed. */
static pid_t taker(const struct folder *f, int held, int said[2])
{
	pid_t pid;

	assert_int_equal(pipe(said), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int lock, r;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(held); /* else it would hold the lock itself */
		r = reap_take_run_dir(f->run, &lock, NULL);
		if (write(said[1], &r, sizeof(r)) == sizeof(r))
			pause();
		_exit(1);
	}
	close(said[1]);
	return pid;
}

static void end(pid_t pid, int fd)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(fd);
}

static void test_one_at_a_time(void **state)
{
	const struct folder *f = *state;
	struct err err = {0};
	int lock, other;

	assert_int_equal(reap_take_run_dir(f->run, &lock, &err), 0);
	assert_int_equal(reap_take_run_dir(f->run, &other, &err), -EBUSY);
	close(lock);
	assert_int_equal(reap_take_run_dir(f->run, &lock, &err), 0);
	close(lock);
}

static void test_lock_removed_while_one_waits(void **state)
{
	const struct folder *f = *state;
	int lock, other, said[2], r;
	pid_t pid;

	for (;;) { /* until the removal comes before the one that waits gives up */
		assert_int_equal(reap_take_run_dir(f->run, &lock, NULL), 0);
		pid = taker(f, lock, said);
		while (!has_open(pid, f->lock))
			assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
		reap_end(f->run);
		close(lock);
		assert_int_equal(read(said[0], &r, sizeof(r)), sizeof(r));
		if (r != -EBUSY)
			break;
		end(pid, said[0]);
	}
	assert_int_equal(r, 0);
	assert_true(has_open(pid, f->lock)); /* and not what was removed */
	assert_int_equal(reap_take_run_dir(f->run, &other, NULL), -EBUSY);
	end(pid, said[0]);
}

/* A process in a session of its own, with its record in the folder. */
static pid_t recorded(const char *dir)
{
	char path[96], stat[512];
	ssize_t n;
	FILE *out;
	int fd, begun[2];
	pid_t pid;

	assert_int_equal(pipe(begun), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		close(begun[0]);
		close(begun[1]);
		for (;;)
			pause();
	}
	close(begun[1]);
	assert_int_equal(read(begun[0], stat, 1), 0);
	close(begun[0]);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	n = read(fd, stat, sizeof(stat));
	assert_true(n > 0);
	close(fd);
	snprintf(path, sizeof(path), "%s/" REAP_RECORD, dir);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(stat, (size_t)n, 1, out), 1);
	fclose(out);
	return pid;
}

static bool keep_none(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return false;
}

/* Without a descriptor nothing is known: what tells of the process stays. */
static void test_process_that_can_not_be_looked_at(void **state)
{
	const struct folder *f = *state;
	struct rlimit limit, none;
	char dir[80];
	int lock;
	pid_t pid;

	assert_int_equal(reap_take_run_dir(f->run, &lock, NULL), 0);
	snprintf(dir, sizeof(dir), "%s/vm/uig7", f->run);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(reap_process(dir), 0);
	pid = recorded(dir);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(reap_process(dir), -EMFILE);
	assert_int_equal(reap_run_dir(f->run, keep_none, NULL, NULL), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* it runs */
	assert_int_equal(reap_run_dir(f->run, keep_none, NULL, NULL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(access(dir, F_OK), -1);
	close(lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_at_a_time, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			test_lock_removed_while_one_waits, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			test_process_that_can_not_be_looked_at, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
