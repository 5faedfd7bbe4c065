/* SPDX-License-Identifier: Apache-2.0 */
/* /proc, /sys and /dev: what programs look for is there, can be read in pieces, and links lead where they say. */
#include "libos/klib/errno.h"
#include "libos/exec/args.h"
#include "libos/fs/etc.h"
#include "libos/fs/vfs.h"
#include "libos/sched/thread_impl.h"
#include "libos/uapi/fs.h"
#include "tests/unit/libos/fs/both.h"
#include "tests/unit/libos/fs/shim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum {
	NR_read = 0,
	NR_write = 1,
	NR_open = 2,
	NR_close = 3,
	NR_fstat = 5,
	NR_lstat = 6,
	NR_lseek = 8,
	NR_ioctl = 16,
	NR_mkdir = 83,
	NR_unlink = 87,
	NR_symlink = 88,
	NR_readlink = 89,
	NR_getdents64 = 217,
	NR_statfs = 137
};

static char text[20000];

static long slurp(const char *path)
{
	long fd = libos_call(NR_open, STR(path), O_RDONLY, 0, 0, 0, 0), n = 0, got;

	if (fd < 0)
		return fd;
	while ((got = libos_call(NR_read, (uint64_t)fd, STR(text + n), 97, 0, 0, 0)) > 0)
		n += got;
	text[n] = 0;
	libos_call(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	return got < 0 ? got : n;
}

static void test_all_there(void **state)
{
	static const char *const paths[] = {"/proc/self/maps", "/proc/self/stat",
		"/proc/self/statm", "/proc/self/status", "/proc/self/cmdline", "/proc/self/environ",
		"/proc/self/mountinfo", "/proc/self/mounts", "/proc/mounts", "/proc/self/cgroup",
		"/proc/self/limits", "/proc/self/task/1/comm", "/proc/self/task/1/stat",
		"/proc/self/comm", "/proc/self/oom_score_adj", "/proc/self/coredump_filter",
		"/proc/self/smaps", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/uptime",
		"/proc/loadavg", "/proc/version", "/proc/filesystems", "/proc/cgroups",
		"/proc/net/dev", "/proc/net/tcp", "/proc/sys/vm/overcommit_memory",
		"/proc/sys/vm/max_map_count", "/proc/sys/net/core/somaxconn",
		"/proc/sys/kernel/ngroups_max", "/proc/sys/kernel/pid_max",
		"/proc/sys/kernel/osrelease", "/proc/sys/kernel/hostname",
		"/proc/sys/kernel/random/boot_id", "/proc/sys/kernel/random/uuid",
		"/proc/sys/fs/file-max", "/sys/devices/system/cpu/online",
		"/sys/devices/system/cpu/possible", "/sys/kernel/mm/transparent_hugepage/enabled",
		"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
		"/sys/devices/system/clocksource/clocksource0/current_clocksource",
		"/sys/devices/system/node/node0/cpulist"};
	static char arg0[] = "/bin/prog", arg1[] = "x y", env0[] = "A=1";

	boot_args.argv[0] = arg0;
	boot_args.argv[1] = arg1;
	boot_args.argc = 2;
	boot_args.envp[0] = env0;
	boot_args.envc = 1;
	for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (slurp(paths[i]) <= 0)
			fail_msg("%s: %ld", paths[i], slurp(paths[i]));
	}
	assert_int_equal(slurp("/proc/net/if_inet6"), 0);
	assert_int_equal(slurp("/proc/self/cmdline"), 14);
	assert_memory_equal(text, "/bin/prog\0x y", 14);
	assert_int_equal(slurp("/proc/nothing"), -ENOENT);
	assert_int_equal(slurp("/proc/2/stat"), -ENOENT);
	assert_int_equal(slurp("/proc/01/stat"), -ENOENT);
	assert_int_equal(slurp("/proc/self"), -EISDIR);
}

static void test_stat_fields(void **state)
{
	int pid, ppid, fields = 0;
	char comm[20], st;

	assert_true(slurp("/proc/self/stat") > 0);
	assert_int_equal(sscanf(text, "%d (%15[^)]) %c %d", &pid, comm, &st, &ppid), 4);
	assert_int_equal(pid, 1);
	for (char *p = text; *p; p++)
		fields += *p == ' ' || *p == '\n';
	assert_int_equal(fields, 52); /* proc(5) */
}

static void test_links(void **state)
{
	char path[64], to[64] = "";
	long fd = libos_call(NR_open, STR("/tmp/some-file"), O_RDWR | O_CREAT, 0600, 0, 0, 0), fd2;

	assert_int_equal(libos_call(NR_readlink, STR("/proc/self"), STR(to), 64, 0, 0, 0), 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%ld", fd);
	assert_int_equal(libos_call(NR_readlink, STR(path), STR(to), 64, 0, 0, 0), 14);
	assert_memory_equal(to, "/tmp/some-file", 14);
	libos_call(NR_write, (uint64_t)fd, STR("abc"), 3, 0, 0, 0);
	fd2 = libos_call(NR_open, STR(path), O_RDONLY, 0, 0, 0, 0); /* a description of its own */
	assert_int_equal(libos_call(NR_read, (uint64_t)fd2, STR(to), 64, 0, 0, 0), 3);
	libos_call(NR_unlink, STR("/tmp/some-file"), 0, 0, 0, 0, 0);
	assert_int_equal(libos_call(NR_readlink, STR(path), STR(to), 64, 0, 0, 0), 24);
	assert_memory_equal(to, "/tmp/some-file (deleted)", 24);
	libos_call(NR_close, (uint64_t)fd2, 0, 0, 0, 0, 0);
	fd2 = libos_call(NR_open, STR(path), O_RDONLY, 0, 0, 0, 0); /* deleted, and can be opened */
	assert_true(fd2 >= 0);
	libos_call(NR_close, (uint64_t)fd2, 0, 0, 0, 0, 0);
	libos_call(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	assert_int_equal(libos_call(NR_open, STR(path), O_RDONLY, 0, 0, 0, 0), -ENOENT);
	strcpy(process.exe, "/dev/null");
	assert_int_equal(libos_call(NR_readlink, STR("/proc/self/exe"), STR(to), 64, 0, 0, 0), 9);
	assert_int_equal(libos_call(NR_readlink, STR("/proc/self/cwd"), STR(to), 64, 0, 0, 0), 1);
}

static void test_writes(void **state)
{
	long fd = libos_call(NR_open, STR("/proc/self/task/1/comm"), O_WRONLY, 0, 0, 0, 0);

	assert_int_equal(libos_call(NR_write, (uint64_t)fd, STR("worker\n"), 7, 0, 0, 0), 7);
	libos_call(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	slurp("/proc/self/comm");
	assert_string_equal(text, "worker\n");
	assert_int_equal(
		libos_call(NR_open, STR("/proc/self/stat"), O_WRONLY, 0, 0, 0, 0), -EACCES);
	assert_int_equal(
		libos_call(NR_open, STR("/proc/new"), O_WRONLY | O_CREAT, 0600, 0, 0, 0), -ENOENT);
	assert_int_equal(
		libos_call(NR_open, STR("/sys/new"), O_WRONLY | O_CREAT, 0600, 0, 0, 0), -EACCES);
	assert_int_equal(libos_call(NR_mkdir, STR("/proc/new"), 0755, 0, 0, 0, 0), -ENOENT);
	assert_int_equal(libos_call(NR_unlink, STR("/proc/stat"), 0, 0, 0, 0, 0), -EPERM);
	assert_int_equal(libos_call(84, STR("/proc"), 0, 0, 0, 0, 0), -EBUSY);
	assert_int_equal(libos_call(82, STR("/tmp"), STR("/tmp2"), 0, 0, 0, 0), -EBUSY);
	assert_int_equal(libos_call(82, STR("/dev/null"), STR("/tmp/null"), 0, 0, 0, 0), -EXDEV);
}

/* Every name of every directory can be looked up, and no directory lists a name twice. */
static unsigned walk_tree(const char *dir, int depth)
{
	long fd = libos_call(NR_open, STR(dir), O_RDONLY | O_DIRECTORY, 0, 0, 0, 0), got;
	unsigned count = 0;
	char buf[2048];

	assert_true(fd >= 0);
	while ((got = libos_call(NR_getdents64, (uint64_t)fd, STR(buf), sizeof(buf), 0, 0, 0)) >
		0) {
		for (long at = 0; at < got;) {
			char path[300];
			struct stat st;
			uint16_t len;

			memcpy(&len, buf + at + 16, 2);
			snprintf(path, sizeof(path), "%s/%s", dir, buf + at + 19);
			at += len;
			assert_int_equal(libos_call(NR_lstat, STR(path), STR(&st), 0, 0, 0, 0), 0);
			count++;
			if ((st.st_mode & S_IFMT) == S_IFDIR && path[strlen(path) - 1] != '.' &&
				depth < 6)
				count += walk_tree(path, depth + 1);
		}
	}
	libos_call(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	return count;
}

static void test_tree(void **state)
{
	assert_true(walk_tree("/proc", 0) > 80);
	assert_true(walk_tree("/sys", 0) > 40);
	assert_int_equal(walk_tree("/dev", 0), 8 + 4 + 2 + 2 * 3);
}

static void test_devices(void **state)
{
	long null = libos_call(NR_open, STR("/dev/null"), O_RDWR, 0, 0, 0, 0), full, zero, con;
	char buf[100];

	assert_int_equal(libos_call(NR_write, (uint64_t)null, STR("abc"), 3, 0, 0, 0), 3);
	assert_int_equal(libos_call(NR_read, (uint64_t)null, STR(buf), 3, 0, 0, 0), 0);
	full = libos_call(NR_open, STR("/dev/full"), O_RDWR, 0, 0, 0, 0);
	assert_int_equal(libos_call(NR_write, (uint64_t)full, STR("abc"), 3, 0, 0, 0), -ENOSPC);
	zero = libos_call(NR_open, STR("/dev/zero"), O_RDWR, 0, 0, 0, 0);
	memset(buf, 1, sizeof(buf));
	assert_int_equal(libos_call(NR_read, (uint64_t)zero, STR(buf), 100, 0, 0, 0), 100);
	assert_int_equal(buf[0] | buf[99], 0);
	assert_int_equal(libos_call(NR_open, STR("/dev/tty"), O_RDWR, 0, 0, 0, 0), -ENXIO);
	assert_int_equal(libos_call(NR_open, STR("/dev/ptmx"), O_RDWR, 0, 0, 0, 0), -ENOENT);
	for (long fd = null; fd <= zero; fd++)
		libos_call(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	assert_int_equal(vfs_stdio(), 0);
	shim_console_len = 0;
	assert_int_equal(libos_call(NR_write, 1, STR("out\n"), 4, 0, 0, 0), 4);
	con = libos_call(NR_open, STR("/dev/stdout"), O_WRONLY | O_CREAT | O_APPEND, 0644, 0, 0, 0);
	assert_int_equal(libos_call(NR_write, (uint64_t)con, STR("more\n"), 5, 0, 0, 0), 5);
	assert_int_equal(shim_console_len, 9);
	assert_memory_equal(shim_console, "out\nmore\n", 9);
	assert_int_equal(libos_call(NR_ioctl, 1, TCGETS, STR(buf), 0, 0, 0), -ENOTTY);
	assert_int_equal(libos_call(NR_read, 0, STR(buf), 10, 0, 0, 0), 0);
	libos_call(NR_close, (uint64_t)con, 0, 0, 0, 0, 0);
}

static void test_etc(void **state)
{
	static struct args args;

	assert_int_equal(etc_init(&args), 0); /* nobody: nothing is made */
	assert_int_equal(slurp("/etc/hosts"), -ENOENT);
	args.net.ip = 0x0500000a;
	strcpy(args.hostname, "web");
	strcpy(args.search, "shop.uigniter,uigniter");
	assert_int_equal(etc_init(&args), 0);
	assert_true(slurp("/etc/hosts") > 0);
	assert_string_equal(text, "127.0.0.1 localhost\n10.0.0.5 web.uigniter web\n");
	assert_int_equal(slurp("/etc/resolv.conf"), -ENOENT); /* no server */
	args.net.dns = 0x0100000a;
	strcpy(args.hostname, "other");
	assert_int_equal(etc_init(&args), 0);
	assert_true(slurp("/etc/hosts") > 0);
	assert_string_equal(
		text, "127.0.0.1 localhost\n10.0.0.5 web.uigniter web\n"); /* was there */
	assert_true(slurp("/etc/resolv.conf") > 0);
	assert_string_equal(text, "nameserver 10.0.0.1\nsearch shop.uigniter uigniter\n");
	/* a link that leads nowhere is somebody's wish too */
	assert_int_equal(libos_call(NR_unlink, STR("/etc/resolv.conf"), 0, 0, 0, 0, 0), 0);
	assert_int_equal(
		libos_call(NR_symlink, STR("/nowhere"), STR("/etc/resolv.conf"), 0, 0, 0, 0), 0);
	assert_int_equal(etc_init(&args), 0);
	assert_int_equal(slurp("/etc/resolv.conf"), -ENOENT);
}

static int setup(void **state)
{
	return vfs_init(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_there),
		cmocka_unit_test(test_stat_fields),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_writes),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_etc),
	};

	return cmocka_run_group_tests(tests, setup, NULL) ? 1 : 0;
}
