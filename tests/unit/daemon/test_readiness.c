/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe against connections that the test completes: each is one end of a socket pair that can not be written to until the test
 * empties it.
 */
#include "daemon/instance/readiness.h"

#include "daemon/network/network.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HANG_NS (120 * NS_PER_S)

struct probe {
	struct loop *loop;
	struct loop_timer *answer, *hang;
	int64_t delay_ns;  /* from an attempt to its answer */
	unsigned refusals; /* of the first attempts */
	unsigned attempts;
	int far; /* of the attempt under way */
};

static struct probe p;

int __wrap_network_socket(const struct network *net, int type);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);

int __wrap_network_socket(const struct network *net, int type)
{
	char block[4096] = {0};
	int ends[2];

	(void)net;
	(void)type;
	if (p.far >= 0)
		close(p.far);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	while (write(ends[0], block, sizeof(block)) > 0)
		;
	p.far = ends[1];
	return ends[0];
}

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	(void)fd;
	(void)to;
	(void)len;
	if (p.attempts++ < p.refusals) {
		errno = ECONNREFUSED;
		return -1;
	}
	loop_timer_set(p.answer, p.delay_ns);
	errno = EINPROGRESS;
	return -1;
}

/* An attempt that was given up has closed its end, and is answered in vain. */
static void answer(void *arg)
{
	char block[4096];

	(void)arg;
	while (read(p.far, block, sizeof(block)) > 0)
		;
}

static void ready(void *arg)
{
	loop_stop(arg, 1);
}

static void hang(void *arg)
{
	loop_stop(arg, 2);
}

static void assert_gets_ready(int64_t delay_ns, unsigned refusals)
{
	struct readiness *r;

	p = (struct probe){.delay_ns = delay_ns, .refusals = refusals, .far = -1};
	assert_int_equal(loop_new(&p.loop), 0);
	assert_int_equal(loop_timer_new(p.loop, answer, NULL, &p.answer), 0);
	assert_int_equal(loop_timer_new(p.loop, hang, p.loop, &p.hang), 0);
	loop_timer_set(p.hang, HANG_NS);
	assert_int_equal(readiness_new(p.loop, NULL, 0x7f000001, 1, ready, p.loop, &r), 0);
	assert_int_equal(loop_run(p.loop), 1);
	readiness_free(r);
	loop_timer_free(p.answer);
	loop_timer_free(p.hang);
	loop_free(p.loop);
	close(p.far);
}

static void one_that_answers_at_once(void **state)
{
	(void)state;
	assert_gets_ready(1, 0);
	assert_true(p.attempts >= 1);
}

static void one_that_refuses_first(void **state)
{
	(void)state;
	assert_gets_ready(1, 5);
	assert_true(p.attempts >= 6);
}

/* Each answer comes later than an attempt lasts at first. */
static void one_whose_answers_take_long(void **state)
{
	(void)state;
	assert_gets_ready(400 * NS_PER_MS, 0);
	assert_true(p.attempts > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_answers_at_once),
		cmocka_unit_test(one_that_refuses_first),
		cmocka_unit_test(one_whose_answers_take_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
