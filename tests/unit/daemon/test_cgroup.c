/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups against a kernel of our own: folders of a temporary one, in which a new folder gets the control files, a folder goes with
 * them, and busy ones do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/cgroup.h"
#include "lib/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const char *const control_files[] = {"cgroup.procs", "cgroup.kill", "memory.max",
	"memory.oom.group", "memory.events", "cpu.max", "cpu.weight", "pids.max"};

static struct {
	char top[64], dir[96]; /* dir: the manager's */
	struct loop *loop;
	struct cgroups *cs;
	bool other_fs; /* it is no cgroup file system */
	bool no_files; /* a new group has none of the control files of limits */
	int busy;      /* so many more attempts at a group fail */
	int attempts;
} t;

int __real_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __wrap_fstatfs64(int fd, struct statfs *fs);

static void make_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

int __wrap_mkdirat(int dir, const char *name, mode_t mode)
{
	int r = __real_mkdirat(dir, name, mode), fd;

	if (r < 0)
		return r;
	fd = openat(dir, name, O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < (t.no_files ? 2 : ARRAY_SIZE(control_files)); i++)
		make_file(fd, control_files[i]);
	close(fd);
	return 0;
}

int __wrap_unlinkat(int dir, const char *name, int flags)
{
	int fd;

	if (flags != AT_REMOVEDIR)
		return __real_unlinkat(dir, name, flags);
	fd = openat(dir, name, O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && dir != AT_FDCWD) {
		t.attempts++;
		if (t.busy > 0) {
			t.busy--;
			close(fd);
			errno = EBUSY;
			return -1;
		}
	}
	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(control_files); i++)
		__real_unlinkat(fd, control_files[i], 0);
	if (fd >= 0)
		__real_unlinkat(fd, "cgroup.subtree_control", 0);
	if (fd >= 0)
		close(fd);
	return __real_unlinkat(dir, name, flags);
}

int __wrap_fstatfs64(int fd, struct statfs *fs)
{
	(void)fd;
	*fs = (struct statfs){.f_type = t.other_fs ? TMPFS_MAGIC : CGROUP2_SUPER_MAGIC};
	return 0;
}

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	strcpy(t.top, "/tmp/uig-test-cgroup-XXXXXX");
	assert_non_null(mkdtemp(t.top));
	snprintf(t.dir, sizeof(t.dir), "%s/own", t.top);
	assert_int_equal(loop_new(&t.loop), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cgroups_free(t.cs);
	loop_free(t.loop);
	assert_int_equal(access(t.dir, F_OK), -1);
	assert_int_equal(rmdir(t.top), 0);
	return 0;
}

/* As after an earlier manager, but for the file that says which controllers there are. */
static void open_cgroups(bool controllers)
{
	struct err err = {0};
	int fd;

	assert_int_equal(mkdir(t.dir, 0755), 0);
	fd = open(t.dir, O_DIRECTORY | O_CLOEXEC);
	if (controllers)
		make_file(fd, "cgroup.subtree_control");
	close(fd);
	if (cgroups_new(t.dir, t.loop, &t.cs, &err) < 0)
		fail_msg("%s", err.msg);
}

static void make(const char *name)
{
	struct err err = {0};
	int procs = -1;

	if (cgroup_make(t.cs, name, 128, &procs, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(procs >= 0);
	close(procs);
}

static void assert_file(const char *file, const char *wanted)
{
	char path[160], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/%s", t.dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	assert_string_equal(text, wanted);
}

static void fill_file(const char *file, const char *text)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", t.dir, file);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static bool is_there(const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", t.dir, name);
	return access(path, F_OK) == 0;
}

static void test_none(void **state)
{
	const struct limits limits = {.pids = 100};
	struct err err = {0};
	json_t *json;
	int procs = 0;

	(void)state;
	assert_int_equal(cgroups_new(NULL, t.loop, &t.cs, &err), 0);
	assert_null(t.cs);
	assert_int_equal(cgroup_make(t.cs, "uig2", 128, &procs, &err), 0);
	assert_int_equal(procs, -1);
	assert_int_equal(cgroup_limit(t.cs, "uig2", &limits, &err), 0);
	assert_int_equal(cgroups_can(t.cs, &limits, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "--cgroup"));
	assert_int_equal(cgroups_can(t.cs, &(struct limits){0}, &err), 0);
	cgroup_remove(t.cs, "uig2");
	json = cgroups_json(t.cs);
	assert_true(json_is_null(json));
	json_decref(json);
}

static void test_limits(void **state)
{
	const struct limits limits = {.cpu_percent = 150, .cpu_weight = 20, .pids = 64};
	struct err err = {0};

	(void)state;
	open_cgroups(true);
	assert_int_equal(cgroups_can(t.cs, &limits, &err), 0);
	make("uig2");
	assert_file("uig2/memory.max", "134217728");
	assert_file("uig2/memory.oom.group", "1");
	assert_file("uig2/cpu.max", "");
	assert_int_equal(cgroup_limit(t.cs, "uig2", &limits, &err), 0);
	assert_file("uig2/cpu.max", "150000 100000");
	assert_file("uig2/cpu.weight", "20");
	assert_file("uig2/pids.max", "64");
	assert_int_equal(cgroup_limit(t.cs, "uig9", &limits, &err), -ENOENT);
	cgroup_remove(t.cs, "uig2");
	cgroup_remove(t.cs, "uig2");
	assert_false(is_there("uig2"));
}

static void test_memory_used_up(void **state)
{
	(void)state;
	assert_false(cgroup_oom_killed(NULL, "uig2"));
	open_cgroups(true);
	make("uig2");
	assert_false(cgroup_oom_killed(t.cs, "uig2"));
	fill_file("uig2/memory.events", "low 0\nmax 7\noom 1\noom_kill 0\noom_group_kill 0\n");
	assert_false(cgroup_oom_killed(t.cs, "uig2"));
	fill_file("uig2/memory.events", "low 0\nmax 7\noom 1\noom_kill 3\noom_group_kill 1\n");
	assert_true(cgroup_oom_killed(t.cs, "uig2"));
	assert_false(cgroup_oom_killed(t.cs, "uig3"));
	cgroup_remove(t.cs, "uig2");
}

static void test_without_controllers(void **state)
{
	const struct limits cpu = {.cpu_weight = 20}, pids = {.pids = 64};
	struct err err = {0};
	json_t *json;

	(void)state;
	t.no_files = true;
	open_cgroups(false);
	make("uig2");
	assert_int_equal(cgroups_can(t.cs, &cpu, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "controller cpu"));
	assert_int_equal(cgroups_can(t.cs, &pids, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "controller pids"));
	json = cgroups_json(t.cs);
	assert_int_equal(json_array_size(json_object_get(json, "controllers")), 0);
	assert_string_equal(json_string_value(json_object_get(json, "path")), t.dir);
	json_decref(json);
	cgroup_remove(t.cs, "uig2");
}

/* What can not be made leaves nothing. */
static void test_half_made(void **state)
{
	struct err err = {0};
	int procs = 0;

	(void)state;
	open_cgroups(true);
	t.no_files = true; /* no memory.max */
	assert_int_equal(cgroup_make(t.cs, "uig2", 128, &procs, &err), -ENOENT);
	assert_int_equal(procs, -1);
	assert_false(is_there("uig2"));
	t.no_files = false;
	make("uig2");
	assert_int_equal(cgroup_make(t.cs, "uig2", 128, &procs, &err), -EEXIST);
	cgroup_remove(t.cs, "uig2");
}

/* One that is not empty is told to end, and tried until it is; a new one of its name tries at once. */
static void test_busy(void **state)
{
	(void)state;
	open_cgroups(true);
	make("uig2");
	t.busy = 4;
	cgroup_remove(t.cs, "uig2");
	assert_file("uig2/cgroup.kill", "1");
	while (is_there("uig2"))
		assert_int_equal(loop_once(t.loop, 10000), 0);
	assert_int_equal(t.busy, 0);
	assert_int_equal(t.attempts, 5);
	make("uig2");
	t.busy = 2;
	cgroup_remove(t.cs, "uig2");
	assert_true(is_there("uig2"));
	make("uig2");
	cgroup_remove(t.cs, "uig2");
}

static bool keeps(void *arg, const char *name)
{
	return strcmp(name, arg) == 0;
}

static void test_reap(void **state)
{
	char wanted[] = "uig3";

	(void)state;
	open_cgroups(true);
	make("uig2");
	make("uig3");
	make("uig4");
	cgroups_reap(t.cs, keeps, wanted);
	assert_false(is_there("uig2"));
	assert_true(is_there("uig3"));
	assert_false(is_there("uig4"));
	cgroup_remove(t.cs, "uig3");
}

static void test_one_manager(void **state)
{
	struct cgroups *second = NULL;
	struct err err = {0};

	(void)state;
	open_cgroups(true);
	assert_int_equal(cgroups_new(t.dir, t.loop, &second, &err), -EBUSY);
	assert_null(second);
	assert_true(is_there("."));
}

static void test_other_file_system(void **state)
{
	struct err err = {0};

	(void)state;
	t.other_fs = true;
	assert_int_equal(cgroups_new(t.dir, t.loop, &t.cs, &err), -EINVAL);
	assert_int_equal(cgroups_new("/nonexistent/x", t.loop, &t.cs, &err), -ENOENT);
	assert_null(t.cs);
}

static void test_request(void **state)
{
	static const char *const bad[] = {"[]", "1", "{\"cpu\": 1}", "{\"cpu_percent\": 0}",
		"{\"cpu_percent\": 1.5}", "{\"cpu_weight\": 10001}", "{\"pids\": 15}",
		"{\"pids\": \"64\"}", "{\"pids\": -1}"};
	static const char good[] = "{\"cpu_percent\": 150, \"pids\": 64, \"cpu_weight\": null}";
	struct limits limits = {0};
	struct check check;
	json_t *json = json_loads(good, 0, NULL), *again;

	(void)state;
	assert_int_equal(limits_take(&check, "limits", json, &limits), 0);
	assert_int_equal(limits.cpu_percent, 150);
	assert_int_equal(limits.cpu_weight, 0);
	assert_int_equal(limits.pids, 64);
	again = limits_json(&limits);
	assert_true(json_equal(json, again));
	json_decref(json);
	json_decref(again);
	assert_null(limits_json(&(struct limits){0}));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json = json_loads(bad[i], JSON_DECODE_ANY, NULL);
		assert_non_null(json);
		assert_int_equal(limits_take(&check, "limits", json, &limits), -EINVAL);
		assert_memory_equal(check.pointer, "/limits", 7);
		json_decref(json);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory_used_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_controllers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_made, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_manager, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_file_system, setup, teardown),
		cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
