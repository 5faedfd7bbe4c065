/* SPDX-License-Identifier: Apache-2.0 */
/* See both.h. */
#include "tests/unit/libos/fs/both.h"

#include "libos/fs/vfs.h"
#include "libos/uapi/fs.h"
#include "tests/unit/libos/fs/image.h"
#include "tests/unit/libos/fs/shim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SLOTS     64
#define NR_OPEN   2
#define NR_CHDIR  80
#define NR_FCHDIR 81
#define NR_CHROOT 161
#define NR_MKDIR  83

char host_buf[BOTH_BUF], libos_buf[BOTH_BUF];
static int host_root;
static int slot_fd[2][SLOTS];
static char host_dir[] = "/dev/shm/uig-fs-XXXXXX";

char *mkdtemp(char *template);

static void host_enter(void)
{
	host_root = (int)host_call(NR_OPEN, STR("/"), O_RDONLY | O_DIRECTORY, 0, 0, 0, 0);
	if (!mkdtemp(host_dir) || host_call(NR_CHROOT, STR(host_dir), 0, 0, 0, 0, 0) < 0 ||
		host_call(NR_CHDIR, STR("/"), 0, 0, 0, 0, 0) < 0) {
		printf("no tmpfs at /dev/shm to compare with, or no right to chroot\n");
		exit(77);
	}
	host_call(95, 022, 0, 0, 0, 0, 0);
	memset(slot_fd, 0xff, sizeof(slot_fd));
}

static void host_leave(void)
{
	host_call(NR_FCHDIR, (uint64_t)host_root, 0, 0, 0, 0, 0);
	host_call(NR_CHROOT, STR("."), 0, 0, 0, 0, 0);
}

/* Folders inside others, so that .. is the test's own too. */
#define DEPTH 30

void both_init(void)
{
	host_enter();
	assert_int_equal(vfs_init(NULL, 0), 0);
	assert_int_equal(libos_call(NR_CHDIR, STR("/tmp"), 0, 0, 0, 0, 0), 0);
	for (int i = 0; i < DEPTH; i++) {
		both(NR_MKDIR, STR("outer"), 0755);
		both(NR_CHDIR, STR("outer"));
	}
}

static void host_descend(bool make)
{
	for (int i = 0; i < DEPTH; i++) {
		if (make)
			host_call(NR_MKDIR, STR("outer"), 0755, 0, 0, 0, 0);
		assert_int_equal(host_call(NR_CHDIR, STR("outer"), 0, 0, 0, 0, 0), 0);
	}
}

void both_init_image(void (*populate)(void), const char *mkfs_options)
{
	size_t bytes;
	void *image;

	host_enter();
	host_descend(true);
	populate();
	host_leave();
	image = image_make(host_dir, mkfs_options, &bytes);
	host_call(NR_CHROOT, STR(host_dir), 0, 0, 0, 0, 0);
	host_call(NR_CHDIR, STR("/"), 0, 0, 0, 0, 0);
	host_descend(false);
	assert_int_equal(vfs_init(image, bytes), 0);
	for (int i = 0; i < DEPTH; i++)
		assert_int_equal(libos_call(NR_CHDIR, STR("outer"), 0, 0, 0, 0, 0), 0);
}

void both_fini(void)
{
	char cmd[64];

	host_leave();
	snprintf(cmd, sizeof(cmd), "rm -rf %s", host_dir);
	assert_int_equal(system(cmd), 0);
}

int both_setup(void **state)
{
	both_init();
	return 0;
}

int both_teardown(void **state)
{
	both_fini();
	return 0;
}

/* Shows the arguments of a call that went apart: strings of the test lie in its own image. */
static void print_args(const uint64_t a[6])
{
	extern char __executable_start[], end[];

	for (int i = 0; i < 6; i++) {
		if (a[i] >= (uint64_t)(uintptr_t)__executable_start &&
			a[i] < (uint64_t)(uintptr_t)end)
			print_error("  \"%s\"", (const char *)(uintptr_t)a[i]);
		else
			print_error("  %lx", a[i]);
	}
	print_error("\n");
}

static uint64_t arg(uint64_t v, bool host)
{
	if (v >= FD(0) && v < FD(SLOTS))
		return (uint64_t)(int64_t)slot_fd[host][v - FD(0)];
	if (v >= BUF(0) && v < BUF(BOTH_BUF))
		return (uint64_t)(uintptr_t)(host ? host_buf : libos_buf) + (v - BUF(0));
	return v;
}

static long run(bool host, long nr, const uint64_t a[6])
{
	return (host ? host_call : libos_call)(nr, arg(a[0], host), arg(a[1], host),
		arg(a[2], host), arg(a[3], host), arg(a[4], host), arg(a[5], host));
}

long both_call(const char *file, int line, long nr, const uint64_t a[6])
{
	long h = run(true, nr, a), l = run(false, nr, a);

	if (getenv("BOTH_TRACE"))
		print_error("%ld(%lx, %lx, %lu, %lu) = %ld\n", nr, a[0], a[1], a[2], a[3], l);
	if (h != l) {
		print_error("%s:%d: call %ld: Linux %ld, libOS %ld\n", file, line, nr, h, l);
		print_args(a);
		_fail(file, line);
	}
	return l;
}

long both_fd_call(const char *file, int line, unsigned slot, long nr, const uint64_t a[6])
{
	long h = run(true, nr, a), l = run(false, nr, a);

	if (h != l && (h < 0 || l < 0)) {
		print_error("%s:%d: call %ld: Linux %ld, libOS %ld\n", file, line, nr, h, l);
		print_args(a);
		_fail(file, line);
	}
	slot_fd[1][slot] = (int)h;
	slot_fd[0][slot] = (int)l;
	return l < 0 ? l : 0;
}

void both_take_fds(unsigned slot, unsigned n, unsigned offset)
{
	for (unsigned i = 0; i < n; i++) {
		memcpy(&slot_fd[1][slot + i], host_buf + offset + 4 * i, 4);
		memcpy(&slot_fd[0][slot + i], libos_buf + offset + 4 * i, 4);
	}
}

int both_host_fd(unsigned slot)
{
	return slot_fd[1][slot];
}

int both_libos_fd(unsigned slot)
{
	return slot_fd[0][slot];
}

void both_same_at(const char *file, int line, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (host_buf[i] != libos_buf[i]) {
			print_error("%s:%d: byte %u: Linux %02x, libOS %02x\n", file, line, i,
				host_buf[i] & 255, libos_buf[i] & 255);
			_fail(file, line);
		}
	}
}

void both_same_stat_at(const char *file, int line)
{
	struct stat h, l;

	memcpy(&h, host_buf, sizeof(h));
	memcpy(&l, libos_buf, sizeof(l));
	if ((h.st_mode & S_IFMT) == S_IFDIR)
		h.st_size = l.st_size;
	if (h.st_mode != l.st_mode || h.st_nlink != l.st_nlink || h.st_size != l.st_size ||
		h.st_uid != l.st_uid || h.st_gid != l.st_gid || h.st_rdev != l.st_rdev) {
		print_error("%s:%d: stat: Linux mode %o nlink %lu size %ld, libOS mode %o nlink "
			    "%lu size %ld\n",
			file, line, h.st_mode, h.st_nlink, h.st_size, l.st_mode, l.st_nlink,
			l.st_size);
		_fail(file, line);
	}
}
