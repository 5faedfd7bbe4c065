/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes, eventfd, timerfd, signalfd, poll, select and epoll. What does not block is compared with the host's Linux; what blocks runs on the libOS
 * with another thread's part as a callback, and with the shim's clock.
 */
#include "libos/klib/errno.h"
#include "libos/uapi/epoll.h"
#include "libos/uapi/fs.h"
#include "libos/uapi/time.h"
#include "tests/unit/libos/fs/both.h"
#include "tests/unit/libos/fs/nr.h"
#include "tests/unit/libos/fs/shim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define IN  1u
#define OUT 4u
#define ERR 8u
#define HUP 16u

static long os(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return libos_call(nr, a, b, c, d, 0, 0);
}

static void both_pipe(unsigned slot, unsigned flags)
{
	assert_int_equal(both(NR_pipe2, BUF(0), flags), 0);
	both_take_fds(slot, 2, 0);
}

static void test_pipe(void **state)
{
	shim_obey_limits();
	both_pipe(0, O_NONBLOCK);
	both(NR_read, FD(0), BUF(0), 10);
	both(NR_write, FD(0), STR("x"), 1);
	both(NR_read, FD(1), BUF(0), 1);
	both(NR_lseek, FD(0), 0, 0);
	both(NR_write, FD(1), STR("hello"), 5);
	both(NR_ioctl, FD(0), FIONREAD, BUF(0));
	both_same(4);
	both(NR_read, FD(0), BUF(0), 3);
	both(NR_read, FD(0), BUF(3), 100);
	both_same(5);
	both(NR_fcntl, FD(0), F_GETPIPE_SZ);
	for (int i = 0; i < 18; i++)
		both(NR_write, FD(1), BUF(0), 4096);
	both(NR_write, FD(1), BUF(0), 1);
	both(NR_read, FD(0), BUF(0), 4096);
	both(NR_write, FD(1), BUF(0), 4096);
	both(NR_fcntl, FD(0), F_SETPIPE_SZ, 131072);
	both(NR_write, FD(1), BUF(0), 10000);
	both(NR_fcntl, FD(0), F_SETPIPE_SZ, 4096);
	both(NR_fcntl, FD(0), F_SETPIPE_SZ, 1u << 30);
	for (int i = 0; i < 4; i++)
		both(NR_read, FD(0), BUF(0), 30000);
	both(NR_close, FD(1));
	both(NR_read, FD(0), BUF(0), 1);
	both(NR_close, FD(0));
	both(NR_pipe2, BUF(0), 1);
	both(NR_pipe2, 16, 0);
}

/* Bytes come out as they went in, at any fill and wrap of the ring. */
static void test_pipe_stream(void **state)
{
	uint64_t before = shim_pages_used();
	uint32_t in = 0, out = 0, seed = 7;

	both_pipe(0, O_NONBLOCK);
	for (int i = 0; i < 4000; i++) {
		uint32_t n = (seed = seed * 1103515245u + 12345u) >> 8 & 0x3fff;
		long got;

		for (uint32_t k = 0; k < n; k++)
			libos_buf[k] = (char)((in + k) * 7 + ((in + k) >> 8));
		got = os(NR_write, (uint64_t)both_libos_fd(1), STR(libos_buf), n, 0);
		in += got > 0 ? (uint32_t)got : 0;
		n = (seed = seed * 1103515245u + 12345u) >> 8 & 0x3fff;
		got = os(NR_read, (uint64_t)both_libos_fd(0), STR(libos_buf), n, 0);
		for (long k = 0; k < got; k++, out++)
			assert_int_equal(libos_buf[k], (char)(out * 7 + (out >> 8)));
	}
	assert_true(in > 1000000);
	both(NR_close, FD(0));
	assert_int_equal(shim_signal, 0);
	assert_int_equal(os(NR_write, (uint64_t)both_libos_fd(1), STR("x"), 1, 0), -EPIPE);
	assert_int_equal(shim_signal, 13);
	shim_signal = 0;
	both(NR_close, FD(1));
	assert_int_equal(shim_pages_used(), before);
}

static void write_later(void)
{
	os(NR_write, (uint64_t)both_libos_fd(1), STR("late"), 4, 0);
}

static void close_later(void)
{
	os(NR_close, (uint64_t)both_libos_fd(1), 0, 0, 0);
}

static void test_pipe_blocking(void **state)
{
	both_pipe(0, 0);
	shim_blocked = write_later;
	assert_int_equal(os(NR_read, (uint64_t)both_libos_fd(0), STR(libos_buf), 100, 0), 4);
	assert_int_equal(
		os(NR_read, (uint64_t)both_libos_fd(0), STR(libos_buf), 100, 0), -ERESTARTSYS);
	shim_blocked = close_later;
	assert_int_equal(os(NR_read, (uint64_t)both_libos_fd(0), STR(libos_buf), 100, 0), 0);
	os(NR_close, (uint64_t)both_libos_fd(0), 0, 0, 0);
	host_call(NR_close, (uint64_t)both_host_fd(0), 0, 0, 0, 0, 0);
	host_call(NR_close, (uint64_t)both_host_fd(1), 0, 0, 0, 0, 0);
}

static void poll2(int16_t e0, int16_t e1)
{
	for (int host = 0; host < 2; host++) {
		struct pollfd p[2] = {{host ? both_host_fd(0) : both_libos_fd(0), e0, 0x7fff},
			{host ? both_host_fd(1) : both_libos_fd(1), e1, 0x7fff}};

		memcpy(host ? host_buf : libos_buf, p, sizeof(p));
	}
	both(NR_poll, BUF(0), 2, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(((struct pollfd *)(void *)host_buf)[i].revents,
			((struct pollfd *)(void *)libos_buf)[i].revents);
}

static void test_poll(void **state)
{
	both_pipe(0, O_NONBLOCK);
	poll2(IN | OUT, IN | OUT);
	poll2(0x40 | IN, 0x100);
	both(NR_write, FD(1), STR("x"), 1);
	poll2(IN | OUT, IN | OUT);
	poll2(0x40, 0x104);
	poll2(0, 0);
	both(NR_close, FD(1));
	poll2(IN, IN); /* POLLNVAL for the closed one */
	both(NR_close, FD(0));
	both_pipe(0, O_NONBLOCK);
	both(NR_close, FD(0));
	poll2(IN, OUT);
	both(NR_close, FD(1));
	both(NR_poll, 16, 1, 0);
	both(NR_poll, BUF(0), 0, 0);
	shim_nofile = 3;
	assert_int_equal(os(NR_poll, STR(libos_buf), 4, 0, 0), -EINVAL);
	shim_nofile = 1024;
}

static void test_poll_waits(void **state)
{
	struct pollfd p;
	uint64_t start = shim_now;

	both_pipe(0, 0);
	p = (struct pollfd){both_libos_fd(0), IN, 0};
	assert_int_equal(os(NR_poll, STR(&p), 1, 250, 0), 0);
	assert_int_equal(shim_now - start, 250000000);
	assert_int_equal(os(NR_poll, STR(&p), 1, (uint64_t)-1, 0), -EINTR);
	shim_blocked = write_later;
	assert_int_equal(os(NR_poll, STR(&p), 1, (uint64_t)-1, 0), 1);
	assert_int_equal(p.revents, IN);
	both(NR_close, FD(0));
	both(NR_close, FD(1));
}

static void test_select(void **state)
{
	both_pipe(0, O_NONBLOCK);
	uint64_t set[2][3] = {{0}};
	struct timeval zero = {0, 0};

	for (int host = 0; host < 2; host++) {
		int r = host ? both_host_fd(0) : both_libos_fd(0),
		    w = host ? both_host_fd(1) : both_libos_fd(1);

		set[host][0] = 1ull << r | 1ull << w;
		set[host][1] = 1ull << w;
		long n = (host ? host_call : libos_call)(
			NR_select, 64, STR(&set[host][0]), STR(&set[host][1]), 0, STR(&zero), 0);
		assert_int_equal(n, 1);
		assert_int_equal(set[host][0], 0);
		assert_int_equal(set[host][1], 1ull << w);
	}
	set[0][0] = set[1][0] = 1ull << 60;
	both(NR_select, 64, STR(&set[0][0]), 0, 0, STR(&zero));
	both(NR_select, (uint64_t)-1, 0, 0, 0, STR(&zero));
	both(NR_close, FD(0));
	both(NR_close, FD(1));
}

static void test_eventfd(void **state)
{
	uint64_t v = 5, max = UINT64_MAX - 1, all = UINT64_MAX;

	both_fd(0, NR_eventfd2, 3, O_NONBLOCK);
	both(NR_read, FD(0), BUF(0), 8);
	both_same(8);
	both(NR_read, FD(0), BUF(0), 8);
	both(NR_read, FD(0), BUF(0), 7);
	both(NR_write, FD(0), STR(&v), 8);
	both(NR_write, FD(0), STR(&v), 8);
	both(NR_write, FD(0), STR(&v), 4);
	both(NR_write, FD(0), STR(&all), 8);
	both(NR_write, FD(0), STR(&max), 8);
	both(NR_read, FD(0), BUF(0), 16);
	both_same(8);
	both(NR_close, FD(0));
	both_fd(0, NR_eventfd2, 2, O_NONBLOCK | EFD_SEMAPHORE);
	for (int i = 0; i < 3; i++)
		both(NR_read, FD(0), BUF(0), 8);
	both_same(8);
	both(NR_lseek, FD(0), 0, 0);
	both(NR_close, FD(0));
	both(NR_eventfd2, 0, 0x10);
}

static void ctl(int op, unsigned slot, uint32_t events, uint64_t data)
{
	struct epoll_event ev = {events, data};

	both(NR_epoll_ctl, FD(9), op, FD(slot), STR(&ev));
}

/* epoll_wait without waiting: the same events in the same order. */
static void wait_same(int max)
{
	long n;

	memset(host_buf, 0, 512);
	memset(libos_buf, 0, 512);
	n = both(NR_epoll_wait, FD(9), BUF(0), max, 0);
	both_same(512);
	assert_true(n >= -100);
}

static void test_epoll(void **state)
{
	both_fd(9, NR_epoll_create1, 0);
	both_pipe(0, O_NONBLOCK);
	both_pipe(2, O_NONBLOCK);
	both_fd(4, NR_eventfd2, 0, O_NONBLOCK);
	both_fd(5, NR_open, STR("reg"), O_RDWR | O_CREAT, 0600);
	ctl(EPOLL_CTL_ADD, 5, IN, 1); /* EPERM */
	ctl(EPOLL_CTL_ADD, 9, IN, 1); /* EINVAL */
	ctl(EPOLL_CTL_MOD, 0, IN, 1); /* ENOENT */
	ctl(EPOLL_CTL_DEL, 0, IN, 1);
	ctl(EPOLL_CTL_ADD, 0, IN, 10);
	ctl(EPOLL_CTL_ADD, 0, IN, 10); /* EEXIST */
	ctl(EPOLL_CTL_ADD, 1, OUT, 11);
	ctl(EPOLL_CTL_ADD, 2, IN | EPOLLET, 12);
	ctl(EPOLL_CTL_ADD, 4, IN | EPOLLONESHOT, 14);
	ctl(7, 4, IN, 14);
	both(NR_epoll_ctl, FD(5), EPOLL_CTL_ADD, FD(0), STR(host_buf));
	both(NR_epoll_ctl, FD(9), EPOLL_CTL_ADD, FD(0), 16);
	both(NR_epoll_ctl, 999, EPOLL_CTL_DEL, FD(0), 0);
	wait_same(10);
	both(NR_write, FD(1), STR("x"), 1);
	both(NR_write, FD(3), STR("x"), 1);
	wait_same(10);
	wait_same(10); /* level again, edge not */
	both(NR_write, FD(3), STR("x"), 1);
	wait_same(10);
	uint64_t one = 1;
	both(NR_write, FD(4), STR(&one), 8);
	wait_same(10);
	both(NR_write, FD(4), STR(&one), 8);
	wait_same(10); /* disarmed */
	ctl(EPOLL_CTL_MOD, 4, IN | OUT, 15);
	wait_same(10);
	for (int i = 0; i < 5; i++)
		wait_same(1); /* each gets its turn */
	ctl(EPOLL_CTL_DEL, 4, 0, 0);
	both(NR_read, FD(0), BUF(0), 10);
	wait_same(10);
	both(NR_close, FD(3));
	wait_same(10); /* HUP on 2 */
	both_fd(6, NR_dup, FD(2));
	both(NR_read, FD(2), BUF(0), 10);
	both(NR_close, FD(2));
	wait_same(10); /* dup keeps the description */
	both(NR_close, FD(6));
	wait_same(10);
	both(NR_epoll_wait, FD(9), BUF(0), 0, 0);
	both(NR_epoll_wait, FD(5), BUF(0), 1, 0);
	both(NR_epoll_wait, FD(9), 16, 1, 0);
	for (unsigned i = 0; i < 6; i++)
		if (i != 2 && i != 3)
			both(NR_close, FD(i));
	both(NR_close, FD(9));
	both(NR_unlink, STR("reg"));
}

static void test_epoll_nested(void **state)
{
	both_pipe(0, O_NONBLOCK);
	both_fd(9, NR_epoll_create1, 0);
	ctl(EPOLL_CTL_ADD, 0, IN, 1);
	both_fd(8, NR_epoll_create1, 0);
	struct epoll_event ev = {IN, 2};

	both(NR_epoll_ctl, FD(8), EPOLL_CTL_ADD, FD(9), STR(&ev));
	both(NR_epoll_ctl, FD(9), EPOLL_CTL_ADD, FD(8), STR(&ev)); /* ELOOP */
	both(NR_epoll_wait, FD(8), BUF(0), 4, 0);
	both(NR_write, FD(1), STR("x"), 1);
	both(NR_epoll_wait, FD(8), BUF(0), 4, 0);
	both_same(12);
	both(NR_read, FD(0), BUF(0), 4);
	both(NR_epoll_wait, FD(8), BUF(0), 4, 0);
	ev.events = IN | EPOLLEXCLUSIVE;
	both(NR_epoll_ctl, FD(8), EPOLL_CTL_ADD, FD(0), STR(&ev));
	both(NR_epoll_ctl, FD(8), EPOLL_CTL_MOD, FD(0), STR(&ev));
	ev.events = IN;
	both(NR_epoll_ctl, FD(8), EPOLL_CTL_MOD, FD(0), STR(&ev));
	ev.events = IN | EPOLLEXCLUSIVE | EPOLLONESHOT;
	both(NR_epoll_ctl, FD(8), EPOLL_CTL_ADD, FD(1), STR(&ev));
	for (unsigned i = 8; i < 10; i++)
		both(NR_close, FD(i));
	both(NR_close, FD(0));
	both(NR_close, FD(1));
}

static void test_timerfd(void **state)
{
	struct itimerspec set = {{0, 0}, {1, 500}}, left;
	uint64_t ticks = 0;
	long fd = os(NR_timerfd_create, CLOCK_MONOTONIC, 0, 0, 0);
	struct pollfd p = {(int)fd, IN, 0};

	assert_int_equal(os(NR_timerfd_create, 99, 0, 0, 0), -EINVAL);
	assert_int_equal(os(NR_timerfd_settime, (uint64_t)fd, 0, STR(&set), 0), 0);
	assert_int_equal(os(NR_timerfd_gettime, (uint64_t)fd, STR(&left), 0, 0), 0);
	assert_int_equal(left.it_value.tv_sec, 1);
	assert_int_equal(left.it_value.tv_nsec, 500);
	assert_int_equal(os(NR_poll, STR(&p), 1, 999, 0), 0);
	assert_int_equal(os(NR_poll, STR(&p), 1, 5, 0), 1);
	assert_int_equal(os(NR_read, (uint64_t)fd, STR(&ticks), 8, 0), 8);
	assert_int_equal(ticks, 1);
	/* an interval of 10 ms, 95 ms later: 9 ticks after the first at 5 */
	set = (struct itimerspec){{0, 10000000}, {0, 5000000}};
	os(NR_timerfd_settime, (uint64_t)fd, 0, STR(&set), 0);
	shim_now += 95000000;
	assert_int_equal(os(NR_read, (uint64_t)fd, STR(&ticks), 8, 0), 8);
	assert_int_equal(ticks, 10);
	assert_int_equal(
		os(NR_read, (uint64_t)fd, STR(&ticks), 8, 0), 8); /* blocks until the next */
	assert_int_equal(ticks, 1);
	assert_int_equal(os(NR_read, (uint64_t)fd, STR(&ticks), 4, 0), -EINVAL);
	set.it_value.tv_nsec = 1000000000;
	assert_int_equal(os(NR_timerfd_settime, (uint64_t)fd, 0, STR(&set), 0), -EINVAL);
	os(NR_close, (uint64_t)fd, 0, 0, 0);
}

void timerfd_clock_changed(void);

static void test_timerfd_real(void **state)
{
	long fd = os(NR_timerfd_create, CLOCK_REALTIME, O_NONBLOCK, 0, 0);
	uint64_t real = shim_now + shim_real_offset, ticks;
	struct itimerspec set = {.it_value = {(int64_t)(real / 1000000000) + 100, 0}};

	os(NR_timerfd_settime, (uint64_t)fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, STR(&set),
		0);
	assert_int_equal(os(NR_read, (uint64_t)fd, STR(&ticks), 8, 0), -EAGAIN);
	shim_real_offset += 99ull * 1000000000;
	timerfd_clock_changed();
	assert_int_equal(os(NR_read, (uint64_t)fd, STR(&ticks), 8, 0), -ECANCELED);
	assert_int_equal(os(NR_read, (uint64_t)fd, STR(&ticks), 8, 0), -EAGAIN);
	shim_now += 2ull * 1000000000;
	assert_int_equal(os(NR_read, (uint64_t)fd, STR(&ticks), 8, 0), 8);
	os(NR_close, (uint64_t)fd, 0, 0, 0);
}

static void send_later(void)
{
	shim_send(10);
}

static void test_signalfd(void **state)
{
	uint64_t set = 1ull << 9 | 1ull << 8; /* SIGUSR1, SIGKILL */
	struct signalfd_siginfo s[2];
	long fd = os(NR_signalfd4, (uint64_t)-1, STR(&set), 8, O_NONBLOCK);

	assert_int_equal(os(NR_read, (uint64_t)fd, STR(s), sizeof(s), 0), -EAGAIN);
	assert_int_equal(os(NR_read, (uint64_t)fd, STR(s), 100, 0), -EINVAL);
	shim_send(10);
	assert_int_equal(os(NR_read, (uint64_t)fd, STR(s), sizeof(s), 0), sizeof(s[0]));
	assert_int_equal(s[0].ssi_signo, 10);
	os(NR_fcntl, (uint64_t)fd, F_SETFL, 0, 0);
	shim_blocked = send_later;
	assert_int_equal(os(NR_read, (uint64_t)fd, STR(s), sizeof(s), 0), sizeof(s[0]));
	assert_int_equal(os(NR_signalfd4, (uint64_t)-1, STR(&set), 4, 0), -EINVAL);
	os(NR_close, (uint64_t)fd, 0, 0, 0);
}

static long fifo_other = -1;

static void open_reader(void)
{
	fifo_other = os(NR_open, STR("fifo"), O_RDONLY, 0, 0);
}

static void test_fifo(void **state)
{
	long w;

	both(NR_mknod, STR("fifo"), S_IFIFO | 0644, 0);
	both(NR_open, STR("fifo"), O_WRONLY | O_NONBLOCK, 0);
	both_fd(0, NR_open, STR("fifo"), O_RDONLY | O_NONBLOCK, 0);
	both(NR_read, FD(0), BUF(0), 10);
	both_fd(1, NR_open, STR("fifo"), O_WRONLY | O_NONBLOCK, 0);
	both(NR_read, FD(0), BUF(0), 10);
	both(NR_write, FD(1), STR("abc"), 3);
	both(NR_close, FD(1));
	both(NR_read, FD(0), BUF(0), 10);
	both_same(3);
	both(NR_read, FD(0), BUF(0), 10);
	both(NR_close, FD(0));
	shim_blocked = open_reader;
	w = os(NR_open, STR("fifo"), O_WRONLY, 0, 0);
	assert_true(w >= 0 && fifo_other >= 0);
	os(NR_close, (uint64_t)w, 0, 0, 0);
	os(NR_close, (uint64_t)fifo_other, 0, 0, 0);
	assert_int_equal(os(NR_open, STR("fifo"), O_RDONLY, 0, 0), -ERESTARTSYS);
	both(NR_unlink, STR("fifo"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_pipe_stream),
		cmocka_unit_test(test_pipe_blocking),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_poll),
		cmocka_unit_test(test_poll_waits),
		cmocka_unit_test(test_select),
		cmocka_unit_test(test_eventfd),
		cmocka_unit_test(test_epoll),
		cmocka_unit_test(test_epoll_nested),
		cmocka_unit_test(test_timerfd),
		cmocka_unit_test(test_timerfd_real),
		cmocka_unit_test(test_signalfd),
	};

	return cmocka_run_group_tests(tests, both_setup, both_teardown);
}
