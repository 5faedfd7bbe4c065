/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random locks on ranges, by the process and by open file descriptions, on the host's Linux and on the libOS: each result, and
 * who is found in the way, must be the same. Descriptors are closed, doubled and opened anew in between.
 */
#include "libos/uapi/fs.h"
#include "tests/unit/libos/fs/both.h"
#include "tests/unit/libos/fs/nr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <unistd.h>

#define FILES 5u
#define SPAN  40u /* offsets of the file that are locked: few, so that ranges meet */
#define STEPS 30000

static uint32_t seed = 4711;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void random_open(unsigned slot)
{
	static const unsigned flags[] = {O_RDWR, O_RDWR, O_RDONLY, O_WRONLY};

	both_fd(slot, NR_open, STR("lk"), flags[rnd(4)], 0);
}

static struct flock random_range(unsigned types)
{
	struct flock l = {.l_type = (int16_t)rnd(types)};

	l.l_start = rnd(SPAN);
	l.l_len = rnd(4) ? rnd(12) : -(int64_t)rnd(8);
	if (!rnd(50)) { /* at the other end, and beyond it */
		l.l_start = INT64_MAX - rnd(4);
		l.l_len = rnd(6);
	}
	if (!rnd(10)) {
		l.l_whence = (int16_t)rnd(4);
		l.l_start -= 5;
	}
	return l;
}

static void random_set(unsigned slot)
{
	struct flock l = random_range(3);

	if (l.l_type == F_UNLCK && !rnd(8))
		l = (struct flock){.l_type = F_UNLCK};
	both(NR_fcntl, FD(slot), rnd(2) ? F_SETLK : F_OFD_SETLK, STR(&l));
}

/* The process has another number on the host. */
static void random_get(unsigned slot)
{
	struct flock l = random_range(2), host;

	memcpy(host_buf, &l, sizeof(l));
	memcpy(libos_buf, &l, sizeof(l));
	both(NR_fcntl, FD(slot), rnd(2) ? F_GETLK : F_OFD_GETLK, BUF(0));
	memcpy(&host, host_buf, sizeof(host));
	if (host.l_type != F_UNLCK && host.l_pid == getpid())
		host.l_pid = 1;
	memcpy(host_buf, &host, sizeof(host));
	both_same(sizeof(l));
}

static void random_close(unsigned slot)
{
	both(NR_close, FD(slot));
	if (rnd(2))
		random_open(slot);
	else
		both_fd(slot, NR_dup, FD((slot + 1) % FILES));
}

static void test_random_locks(void **state)
{
	both_fd(0, NR_open, STR("lk"), O_RDWR | O_CREAT, 0644);
	both(NR_write, FD(0), STR("0123456789"), 10);
	for (unsigned i = 1; i < FILES; i++)
		random_open(i);
	for (int i = 0; i < STEPS; i++) {
		unsigned what = rnd(20), slot = rnd(FILES);

		if (what < 12)
			random_set(slot);
		else if (what < 19)
			random_get(slot);
		else if (!rnd(4))
			random_close(slot);
		else
			both(NR_lseek, FD(slot), rnd(SPAN), SEEK_SET);
	}
	for (unsigned i = 0; i < FILES; i++)
		both(NR_close, FD(i));
	both(NR_unlink, STR("lk"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_locks)};

	return cmocka_run_group_tests(tests, both_setup, both_teardown);
}
