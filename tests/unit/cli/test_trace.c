/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tracer over real programs: this test runs itself again as the traced one (its first word says what it does), and
 * /bin/sh with children.
 */
#include "tests/unit/cli/test.h"

#include "cli/trace/call.h"
#include "cli/trace/draft.h"
#include "cli/trace/tracer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char folder[PATH_MAX / 2], self[PATH_MAX];

/* --- what the traced program does --------------------------------------------------------------------------------- */
static void use(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
}

static void *use_in_thread(void *arg)
{
	use(arg, O_RDONLY);
	return NULL;
}

static int traced_files(char **argv)
{
	char by_thread[] = "thread";
	pthread_t thread;
	struct stat st;
	int dir;

	if (chdir(argv[2]))
		return 1;
	use("read", O_RDONLY);
	use("sub/../read", O_RDONLY);
	use("both", O_RDWR);
	use("written", O_WRONLY);
	use("made", O_RDWR | O_CREAT);
	use("emptied", O_RDWR | O_TRUNC);
	use("none", O_RDONLY);
	use("link/../read", O_RDONLY); /* behind the link: /usr/read, which is not there */
	use("alias", O_RDONLY);
	use("sub", O_RDONLY | O_DIRECTORY);
	use("/dev/null", O_RDONLY);
	use("/proc/self/maps", O_RDONLY);
	dir = open("sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || faccessat(dir, "looked", R_OK, 0) || !stat("none", &st))
		return 1;
	if (pthread_create(&thread, NULL, use_in_thread, by_thread) || pthread_join(thread, NULL))
		return 1;
	return 3;
}

static int traced_listener(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(any);
	char name[PATH_MAX];
	int fd = socket(AF_INET, SOCK_STREAM, 0), quiet = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || quiet < 0 || bind(quiet, (struct sockaddr *)&any, len) ||
		bind(fd, (struct sockaddr *)&any, len) || listen(fd, 1) ||
		getsockname(fd, (struct sockaddr *)&any, &len))
		return 0;
	/* Its port as a file name, so that the test knows it. */
	snprintf(name, sizeof(name), "%s/port-%u", folder, ntohs(any.sin_port));
	use(name, O_WRONLY | O_CREAT);
	return 0;
}

/* --- the tests ---------------------------------------------------------------------------------------------------- */
struct seen {
	struct draft draft;
};

static void on_used(void *arg, const char *path)
{
	struct seen *seen = arg;

	/* The folder itself may be one that is left out. */
	if (!strncmp(path, folder, strlen(folder)))
		path += strlen(folder);
	draft_add_file(&seen->draft, path);
}

static void on_listens(void *arg, uint16_t port)
{
	draft_add_port(&((struct seen *)arg)->draft, port);
}

static int trace(
	struct seen *seen, unsigned int seconds, const char *program, const char *const argv[])
{
	const struct trace_events events = {on_used, on_listens, seen};
	struct err err = {0};
	int status = -1, rc = trace_run(program, argv, seconds, &events, &status, &err);

	if (rc)
		print_message("%s\n", err.msg);
	if (rc == -EPERM)
		skip(); /* a machine that forbids ptrace */
	return rc ? rc : status;
}

static bool has(const struct seen *seen, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", *name == '/' ? "" : "/", name);
	for (size_t i = 0; i < seen->draft.nfiles; i++)
		if (!strcmp(seen->draft.files[i], path))
			return true;
	return false;
}

static void make(const char *name)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	close(fd);
}

static void test_files(void **state)
{
	static const char *const made[] = {
		"read", "both", "written", "emptied", "target", "sub/looked", "thread", "unused"};
	static const char *const needed[] = {"read", "both", "alias", "sub/looked", "thread"};
	static const char *const others[] = {
		"written", "made", "emptied", "none", "target", "sub", "unused", "/usr/read"};
	const char *argv[] = {self, "files", folder, NULL};
	char path[PATH_MAX];
	struct seen seen = {0};
	int status;

	(void)state;
	snprintf(path, sizeof(path), "%s/sub", folder);
	assert_int_equal(mkdir(path, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		make(made[i]);
	snprintf(path, sizeof(path), "%s/alias", folder);
	assert_int_equal(symlink("target", path), 0);
	snprintf(path, sizeof(path), "%s/link", folder);
	assert_int_equal(symlink("/usr/bin", path), 0);
	status = trace(&seen, 0, self, argv);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!has(&seen, needed[i]))
			fail_msg("%s is missing", needed[i]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (has(&seen, others[i]))
			fail_msg("%s is listed", others[i]);
	assert_false(seen.draft.truncated);
	draft_fini(&seen.draft);
}

static void test_children(void **state)
{
	const char *argv[] = {"sh", "-c", "(cat \"$0/by_child\" | cat; exit 4)", folder, NULL};
	struct seen seen = {0};

	(void)state;
	make("by_child");
	assert_int_equal(WEXITSTATUS(trace(&seen, 0, "/bin/sh", argv)), 4);
	assert_true(has(&seen, "by_child"));
	assert_true(has(&seen, "/bin/cat") || has(&seen, "/usr/bin/cat"));
	draft_fini(&seen.draft);
}

static void test_ports(void **state)
{
	const char *argv[] = {self, "listen", folder, NULL};
	char path[PATH_MAX];
	struct seen seen = {0};

	(void)state;
	assert_int_equal(trace(&seen, 0, self, argv), 0);
	assert_int_equal(seen.draft.nports, 1);
	snprintf(path, sizeof(path), "%s/port-%u", folder, seen.draft.ports[0]);
	assert_int_equal(access(path, F_OK), 0);
	draft_fini(&seen.draft);
}

/* A program that would never end is asked to after its time, and so is one that ignores that. */
static void test_time(void **state)
{
	const char *argv[] = {"sleep", "1000", NULL};
	struct seen seen = {0};
	int status = trace(&seen, 1, "/bin/sleep", argv);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	draft_fini(&seen.draft);
}

static void test_signals_reach_the_program(void **state)
{
	const char *argv[] = {"sh", "-c", "trap 'exit 9' USR1; kill -USR1 $$; exit 8", NULL};
	struct seen seen = {0};

	(void)state;
	assert_int_equal(WEXITSTATUS(trace(&seen, 0, "/bin/sh", argv)), 9);
	draft_fini(&seen.draft);
}

static void test_no_program(void **state)
{
	const char *argv[] = {"none", NULL};
	struct seen seen = {0};

	(void)state;
	assert_int_equal(trace(&seen, 0, "/none/program", argv), -ENOENT);
	assert_int_equal(trace(&seen, 0, "/etc/passwd", argv), -EACCES);
	draft_fini(&seen.draft);
}

static void test_normalise(void **state)
{
	static const char *const cases[][2] = {{"/", "/"}, {"//", "/"}, {"/a//b/./c/", "/a/b/c"},
		{"/a/../b", "/b"}, {"/../..", "/"}, {"/a/b/../../c/..", "/"}, {"/...", "/..."},
		{"/a/.b/..c", "/a/.b/..c"}, {"/./a/.", "/a"}, {"/aa/bb/../c", "/aa/c"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s", cases[i][0]);
		path_normalise(path);
		assert_string_equal(path, cases[i][1]);
	}
}

static bool make_folder(void)
{
	char name[] = "trace-test-XXXXXX", *path _cleanup_free_ = NULL;

	if (!mkdtemp(name))
		return false;
	path = realpath(name, NULL);
	return path && snprintf(folder, sizeof(folder), "%s", path) < (int)sizeof(folder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_children),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_signals_reach_the_program),
		cmocka_unit_test(test_no_program),
		cmocka_unit_test(test_normalise),
	};
	char command[PATH_MAX];
	int rc;

	if (argc > 2) {
		snprintf(folder, sizeof(folder), "%s", argv[2]);
		/* Without what runs at exit: a leak checker does not work in a traced program. */
		_exit(!strcmp(argv[1], "files") ? traced_files(argv) : traced_listener());
	}
	if (!realpath("/proc/self/exe", self) || !make_folder())
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command) ? 1 : rc;
}
