/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors and data: the same calls on the host's Linux and on the libOS, with the same results and the same bytes; random ones on two
 * files with holes, and hand-picked ones for each call's errors.
 */
#include "libos/klib/errno.h"
#include "libos/uapi/fs.h"
#include "tests/unit/libos/fs/both.h"
#include "tests/unit/libos/fs/nr.h"
#include "tests/unit/libos/fs/shim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint32_t seed = 99;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void fill(void)
{
	for (unsigned i = 0; i < 20000; i++)
		host_buf[30000 + i] = libos_buf[30000 + i] = (char)rnd(256);
}

static void random_io(void)
{
	memset(host_buf, 0, 20000);
	memset(libos_buf, 0, 20000);

	uint64_t fd = FD(rnd(2)), off = rnd(40000), n = rnd(rnd(2) ? 100 : 15000);

	switch (rnd(12)) {
	case 0:
	case 1:
	case 2:
		fill();
		both(NR_pwrite, fd, BUF(30000), n, off);
		break;
	case 3:
	case 4:
		both(NR_pread, fd, BUF(0), n, off);
		both_same(20000);
		break;
	case 5:
		both(NR_lseek, fd, off, rnd(6));
		both(NR_read, fd, BUF(0), n);
		both_same(20000);
		break;
	case 6:
		both(NR_ftruncate, fd, off);
		break;
	case 7:
		/* not plain allocation: Linux counts such pages as holes until they are written */
		both(NR_fallocate, fd, 2 + rnd(2), off, n);
		break;
	case 8:
		both(NR_copy_range, FD(0), 0, FD(1), 0, n, 0);
		break;
	case 9:
		both(NR_sendfile, fd, fd == FD(0) ? FD(1) : FD(0), 0, n);
		break;
	case 10:
		fill();
		both(NR_write, fd, BUF(30000), n);
		break;
	default:
		both(NR_fstat, fd, BUF(0));
		both_same_stat();
	}
}

static void test_random_io(void **state)
{
	both_fd(0, NR_open, STR("r0"), O_RDWR | O_CREAT, 0644);
	both_fd(1, NR_open, STR("r1"), O_RDWR | O_CREAT, 0644);
	for (int i = 0; i < 6000; i++)
		random_io();
	both(NR_close, FD(0));
	both(NR_close, FD(1));
	both(NR_unlink, STR("r0"));
	both(NR_unlink, STR("r1"));
}

static void test_descriptors(void **state)
{
	both_fd(0, NR_open, STR("f"), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	both(NR_fcntl, FD(0), F_GETFD);
	both(NR_fcntl, FD(0), F_SETFD, 0);
	both(NR_fcntl, FD(0), F_GETFD);
	both(NR_fcntl, FD(0), F_GETFL);
	both(NR_fcntl, FD(0), F_SETFL, O_NONBLOCK | O_APPEND | O_TRUNC | O_WRONLY);
	both(NR_fcntl, FD(0), F_GETFL);
	both_fd(1, NR_dup, FD(0));
	both(NR_fcntl, FD(1), F_GETFL);
	both(NR_dup2, FD(0), 200);
	both(NR_fcntl, FD(0), F_DUPFD, 200);
	both(NR_fcntl, FD(0), F_DUPFD_CLOEXEC, 300);
	both(NR_fcntl, 300, F_GETFD);
	both(NR_dup3, FD(0), 210, O_CLOEXEC);
	both(NR_fcntl, 210, F_GETFD);
	both(NR_dup3, FD(0), FD(0), 0);
	both_fd(0, NR_dup2, FD(0), FD(0));
	both(NR_dup2, 999, 999);
	both(NR_dup2, FD(0), (uint64_t)-1);
	both(NR_dup3, FD(0), 211, O_NONBLOCK);
	both(NR_fcntl, FD(0), F_DUPFD, (uint64_t)-1);
	both(NR_fcntl, FD(0), F_DUPFD, 1u << 30);
	both(NR_fcntl, FD(0), 9999, 0);
	both(NR_fcntl, 999, F_GETFD);
	both(NR_close, 200);
	both(NR_close, 200);
	both(NR_close_range, 201, 299, CLOSE_RANGE_CLOEXEC);
	both(NR_fcntl, 201, F_GETFD);
	both(NR_close_range, 201, 300, 0);
	both(NR_fcntl, 300, F_GETFD);
	both(NR_close_range, 5, 4, 0);
	both(NR_close_range, 201, 300, 1);
	both(NR_close, FD(1));
	both(NR_close, FD(0));
	both_fd(0, NR_open, STR("f"), O_PATH, 0);
	both(NR_read, FD(0), BUF(0), 1);
	both(NR_fcntl, FD(0), F_GETFL);
	both(NR_fcntl, FD(0), F_SETFL, 0);
	both(NR_fstat, FD(0), BUF(0));
	both_same_stat();
	both(NR_fchmod, FD(0), 0600);
	both(NR_ioctl, FD(0), FIONREAD, BUF(0));
	both(NR_lseek, FD(0), 0, 0);
	both(NR_close, FD(0));
	both(NR_unlink, STR("f"));
}

static void test_limits(void **state)
{
	long last = 0, fd;

	shim_nofile = 40;
	while ((fd = libos_call(NR_open, STR("/dev/null"), O_RDONLY, 0, 0, 0, 0)) >= 0)
		last = fd;
	assert_int_equal(fd, -EMFILE);
	assert_int_equal(last, 39);
	assert_int_equal(libos_call(NR_dup, (uint64_t)last, 0, 0, 0, 0, 0), -EMFILE);
	assert_int_equal(libos_call(NR_dup2, (uint64_t)last, 40, 0, 0, 0, 0), -EBADF);
	assert_int_equal(libos_call(NR_close, 17, 0, 0, 0, 0, 0), 0);
	assert_int_equal(libos_call(NR_dup, (uint64_t)last, 0, 0, 0, 0, 0), 17);
	for (fd = 0; fd < 40; fd++)
		libos_call(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	shim_nofile = 1024;
}

static void test_errors(void **state)
{
	uint64_t iov[4] = {STR("abc"), 3, (uint64_t)-1, (uint64_t)-1};

	both_fd(0, NR_open, STR("e"), O_RDWR | O_CREAT, 0644);
	both_fd(1, NR_open, STR("e"), O_RDONLY, 0);
	both_fd(2, NR_open, STR("e"), O_WRONLY | O_APPEND, 0);
	both_fd(3, NR_open, STR("."), O_RDONLY, 0);
	both(NR_write, FD(1), STR("x"), 1);
	both(NR_read, FD(2), BUF(0), 1);
	both(NR_read, FD(3), BUF(0), 1);
	both(NR_write, FD(3), BUF(0), 1);
	both(NR_pread, FD(0), BUF(0), 1, (uint64_t)-1);
	both(NR_write, FD(0), 16, 10);
	both(NR_write, FD(0), 16, 0);
	both(NR_write, FD(0), STR("0123456789"), 10);
	both(NR_write, FD(2), STR("append"), 6);
	both(NR_pwrite, FD(2), STR("APP"), 3, 0);
	both(NR_pread, FD(0), BUF(0), 100, 0);
	both_same(19);
	both(NR_read, FD(1), 16, 5);
	both(NR_writev, FD(0), STR(iov), 1);
	both(NR_writev, FD(0), STR(iov), 2);
	both(NR_writev, FD(0), STR(iov), (uint64_t)-1);
	both(NR_writev, FD(0), STR(iov), 1025);
	both(NR_writev, FD(0), 16, 1);
	both(NR_pwritev, FD(0), STR(iov), 1, 5);
	both(NR_pwritev, FD(0), STR(iov), 1, (uint64_t)-5);
	both(NR_pread, FD(0), BUF(0), 100, 0);
	both_same(22);
	both(NR_lseek, FD(0), (uint64_t)-1, SEEK_SET);
	both(NR_lseek, FD(0), 0, 99);
	both(NR_lseek, FD(0), 5, SEEK_END);
	both(NR_lseek, FD(0), (uint64_t)-500, SEEK_CUR);
	both(NR_ftruncate, FD(1), 5);
	both(NR_ftruncate, FD(3), 5);
	both(NR_ftruncate, FD(0), (uint64_t)-5);
	both(NR_fallocate, FD(0), 0, 0, 0);
	both(NR_fallocate, FD(1), 0, 0, 1);
	both(NR_fallocate, FD(0), 2, 0, 1);
	both(NR_fallocate, FD(0), 0x100, 0, 1);
	both(NR_fsync, FD(0));
	both(NR_fsync, FD(3));
	both(NR_ioctl, FD(0), TCGETS, BUF(0));
	both(NR_lseek, FD(0), 3, SEEK_SET);
	both(NR_ioctl, FD(0), FIONREAD, BUF(0));
	both_same(4);
	both(NR_ioctl, FD(0), FIONBIO, STR("\1\0\0\0"));
	both(NR_fcntl, FD(0), F_GETFL);
	both(NR_ioctl, FD(0), FIOCLEX, 0);
	both(NR_fcntl, FD(0), F_GETFD);
	both(NR_sendfile, FD(2), FD(0), 0, 10);
	both(NR_sendfile, FD(0), FD(3), 0, 10);
	both(NR_sendfile, FD(1), FD(0), 0, 10);
	both(NR_copy_range, FD(0), 0, FD(0), 0, 100, 0);
	both(NR_copy_range, FD(0), 0, FD(0), 0, 1, 1);
	both(NR_copy_range, FD(0), 0, FD(2), 0, 1, 0);
	both(NR_flock, FD(0), LOCK_EX);
	both(NR_flock, FD(1), LOCK_SH | LOCK_NB);
	both(NR_flock, FD(0), LOCK_SH);
	both(NR_flock, FD(1), LOCK_SH | LOCK_NB);
	both(NR_flock, FD(2), LOCK_EX | LOCK_NB);
	both(NR_flock, FD(0), LOCK_UN);
	both(NR_flock, FD(0), 3);
	both(NR_getcwd, BUF(0), 3);
	for (unsigned i = 0; i < 4; i++)
		both(NR_close, FD(i));
	both(NR_unlink, STR("e"));
}

/* A bad address in the middle: what came before it counts. */
static void test_partial_fault(void **state)
{
	char *page = libos_buf + 8192 - ((uintptr_t)libos_buf & 4095);
	long fd = libos_call(NR_open, STR("pf"), O_RDWR | O_CREAT, 0644, 0, 0, 0);

	shim_bad = (uint64_t)(uintptr_t)page;
	shim_bad_end = shim_bad + 4096;
	assert_int_equal(libos_call(NR_write, (uint64_t)fd, shim_bad - 100, 300, 0, 0, 0), 100);
	assert_int_equal(libos_call(NR_write, (uint64_t)fd, shim_bad, 300, 0, 0, 0), -EFAULT);
	assert_int_equal(libos_call(NR_pread, (uint64_t)fd, shim_bad - 60, 100, 0, 0, 0), 60);
	shim_bad = shim_bad_end = 0;
	libos_call(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
}

static void test_memfd_seals(void **state)
{
	both_fd(0, NR_memfd, STR("name"), MFD_ALLOW_SEALING);
	both(NR_fcntl, FD(0), F_GET_SEALS);
	both(NR_write, FD(0), STR("0123"), 4);
	both(NR_fcntl, FD(0), F_ADD_SEALS, F_SEAL_GROW);
	both(NR_write, FD(0), STR("4"), 1);
	both(NR_pwrite, FD(0), STR("xyzz"), 4, 0);
	both(NR_ftruncate, FD(0), 5);
	both(NR_ftruncate, FD(0), 3);
	both(NR_fcntl, FD(0), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_WRITE);
	both(NR_ftruncate, FD(0), 2);
	both(NR_pwrite, FD(0), STR("x"), 1, 0);
	both(NR_fcntl, FD(0), F_ADD_SEALS, F_SEAL_SEAL);
	both(NR_fcntl, FD(0), F_ADD_SEALS, F_SEAL_SEAL);
	both(NR_fcntl, FD(0), F_GET_SEALS);
	both(NR_close, FD(0));
	both_fd(0, NR_memfd, STR("x"), 0);
	both(NR_fcntl, FD(0), F_GET_SEALS);
	both(NR_fcntl, FD(0), F_ADD_SEALS, F_SEAL_WRITE);
	both(NR_fstat, FD(0), BUF(0));
	both_same_stat();
	both(NR_close, FD(0));
	both(NR_memfd, STR("x"), 0x100);
	both(NR_memfd, 16, 0);
}

static void test_record_locks(void **state)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 10};

	both_fd(0, NR_open, STR("lk"), O_RDWR | O_CREAT, 0644);
	both_fd(1, NR_open, STR("lk"), O_RDONLY, 0);
	both(NR_fcntl, FD(0), F_SETLK, STR(&l));
	both(NR_fcntl, FD(1), F_SETLK, STR(&l));
	memcpy(host_buf, &l, sizeof(l));
	memcpy(libos_buf, &l, sizeof(l));
	both(NR_fcntl, FD(0), F_GETLK, BUF(0));
	both_same(sizeof(l));
	l.l_type = 7;
	both(NR_fcntl, FD(0), F_SETLK, STR(&l));
	l = (struct flock){.l_type = F_UNLCK, .l_whence = 9};
	both(NR_fcntl, FD(0), F_SETLK, STR(&l));
	l = (struct flock){.l_type = F_UNLCK, .l_start = -1};
	both(NR_fcntl, FD(0), F_SETLK, STR(&l));
	both(NR_fcntl, FD(0), F_SETLK, 16);
	both(NR_close, FD(0));
	both(NR_close, FD(1));
	both(NR_unlink, STR("lk"));
}

static void test_openat2(void **state)
{
	struct open_how how = {.flags = O_RDONLY | O_DIRECTORY, .resolve = RESOLVE_BENEATH};

	both_fd(0, NR_openat2, (uint64_t)AT_FDCWD, STR("."), STR(&how), sizeof(how));
	both(NR_close, FD(0));
	both(NR_openat2, (uint64_t)AT_FDCWD, STR(".."), STR(&how), sizeof(how));
	both(NR_openat2, (uint64_t)AT_FDCWD, STR("/"), STR(&how), sizeof(how));
	both(NR_openat2, (uint64_t)AT_FDCWD, STR("."), STR(&how), 8);
	how.resolve = 1u << 20;
	both(NR_openat2, (uint64_t)AT_FDCWD, STR("."), STR(&how), sizeof(how));
	how = (struct open_how){.flags = O_RDONLY, .mode = 0600};
	both(NR_openat2, (uint64_t)AT_FDCWD, STR("."), STR(&how), sizeof(how));
	how = (struct open_how){.flags = 1ull << 40};
	both(NR_openat2, (uint64_t)AT_FDCWD, STR("."), STR(&how), sizeof(how));
}

/* Memory that is used up is ENOSPC or ENOMEM, and everything is whole afterwards. */
static void test_allocation_failures(void **state)
{
	for (long n = 0; n < 60; n++) {
		long fd;

		shim_alloc_fail_after = n;
		libos_call(83, STR("nomem"), 0755, 0, 0, 0, 0);
		fd = libos_call(NR_open, STR("nomem/file"), O_RDWR | O_CREAT, 0644, 0, 0, 0);
		if (fd >= 0) {
			long got =
				libos_call(NR_pwrite, (uint64_t)fd, STR("data"), 4, 1 << 20, 0, 0);

			assert_true(got == 4 || got == -ENOSPC || got == -ENOMEM);
		}
		libos_call(82, STR("nomem/file"),
			STR("nomem/a-name-that-is-longer-than-what-fits-inside"), 0, 0, 0, 0);
		libos_call(88, STR("somewhere"), STR("nomem/link"), 0, 0, 0, 0);
		shim_alloc_fail_after = -1;
		if (fd >= 0)
			assert_int_equal(libos_call(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0), 0);
		libos_call(NR_unlink, STR("nomem/file"), 0, 0, 0, 0, 0);
		libos_call(NR_unlink, STR("nomem/a-name-that-is-longer-than-what-fits-inside"), 0,
			0, 0, 0, 0);
		libos_call(NR_unlink, STR("nomem/link"), 0, 0, 0, 0, 0);
		fd = libos_call(84, STR("nomem"), 0, 0, 0, 0, 0);
		assert_true(fd == 0 || fd == -ENOENT);
	}
}

static void test_frames_come_back(void **state)
{
	uint64_t before = shim_pages_used();
	long fd = libos_call(NR_open, STR("much"), O_RDWR | O_CREAT, 0644, 0, 0, 0);

	for (uint64_t i = 0; i < 500; i++)
		libos_call(NR_pwrite, (uint64_t)fd, STR("x"), 1, i * 70000, 0, 0);
	assert_int_equal(shim_pages_used() - before, 500);
	libos_call(NR_ftruncate, (uint64_t)fd, 70000 * 99 + 1, 0, 0, 0, 0);
	assert_int_equal(shim_pages_used() - before, 100);
	libos_call(NR_unlink, STR("much"), 0, 0, 0, 0, 0);
	assert_int_equal(shim_pages_used() - before, 100);
	libos_call(NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	assert_int_equal(shim_pages_used(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_partial_fault),
		cmocka_unit_test(test_memfd_seals),
		cmocka_unit_test(test_record_locks),
		cmocka_unit_test(test_openat2),
		cmocka_unit_test(test_allocation_failures),
		cmocka_unit_test(test_frames_come_back),
		cmocka_unit_test(test_random_io),
	};

	return cmocka_run_group_tests(tests, both_setup, both_teardown);
}
