/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing here waits for a time to pass: each test stops the loop by an event, or looks once without waiting. */
#include "lib/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include <cmocka.h>

struct fixture {
	struct loop *loop;
	int pipe[2], pipe2[2];
	struct loop_io *io, *io2;
	struct loop_timer *timer, *timer2;
	struct loop_child *child;
	int calls, code, status, signo;
	char order[8];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	return pipe2(f->pipe, O_NONBLOCK | O_CLOEXEC) < 0 ||
		pipe2(f->pipe2, O_NONBLOCK | O_CLOEXEC) < 0 || loop_new(&f->loop) < 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	loop_free(f->loop);
	for (int i = 0; i < 2; i++) {
		close(f->pipe[i]);
		close(f->pipe2[i]);
	}
	free(f);
	return 0;
}

static void count_and_stop(void *arg, uint32_t events)
{
	struct fixture *f = arg;

	f->calls++;
	loop_stop(f->loop, 42);
}

static void run_ends_with_the_given_result(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_io_add(f->loop, f->pipe[0], EPOLLIN, count_and_stop, f, &f->io), 0);
	assert_int_equal(loop_once(f->loop, 0), 0);
	assert_int_equal(f->calls, 0);
	assert_int_equal(write(f->pipe[1], "x", 1), 1);
	assert_int_equal(loop_run(f->loop), 42);
	assert_int_equal(f->calls, 1);
	loop_io_del(f->io);
}

static void bad_descriptor(void **state)
{
	struct fixture *f = *state;
	struct loop_io *io = NULL;

	assert_int_equal(loop_io_add(f->loop, -1, EPOLLIN, count_and_stop, f, &io), -EBADF);
	assert_null(io);
	assert_int_equal(loop_io_add(f->loop, f->pipe[0], EPOLLIN, count_and_stop, f, &f->io), 0);
	assert_int_equal(
		loop_io_add(f->loop, f->pipe[0], EPOLLIN, count_and_stop, f, &io), -EEXIST);
	loop_io_del(NULL);
}

/* Whichever of the two comes first removes both: the other, though already fetched, must not be called. */
static void remove_both(void *arg, uint32_t events)
{
	struct fixture *f = arg;

	f->calls++;
	loop_io_del(f->io);
	loop_io_del(f->io2);
}

static void removed_watch_is_never_called(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_io_add(f->loop, f->pipe[0], EPOLLIN, remove_both, f, &f->io), 0);
	assert_int_equal(loop_io_add(f->loop, f->pipe2[0], EPOLLIN, remove_both, f, &f->io2), 0);
	assert_int_equal(write(f->pipe[1], "x", 1), 1);
	assert_int_equal(write(f->pipe2[1], "x", 1), 1);
	assert_int_equal(loop_once(f->loop, 0), 0);
	assert_int_equal(f->calls, 1);
	assert_int_equal(loop_once(f->loop, 0), 0);
	assert_int_equal(f->calls, 1);
}

static void modified_events_count(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_io_add(f->loop, f->pipe[1], 0, count_and_stop, f, &f->io), 0);
	assert_int_equal(loop_once(f->loop, 0), 0);
	assert_int_equal(f->calls, 0);
	assert_int_equal(loop_io_mod(f->io, EPOLLOUT), 0);
	assert_int_equal(loop_once(f->loop, 0), 0);
	assert_int_equal(f->calls, 1);
}

static void first_fires(void *arg)
{
	struct fixture *f = arg;

	strcat(f->order, "1");
}

static void second_fires(void *arg)
{
	struct fixture *f = arg;

	strcat(f->order, "2");
	loop_stop(f->loop, 0);
}

static void timers_fire_in_order(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_timer_new(f->loop, first_fires, f, &f->timer), 0);
	assert_int_equal(loop_timer_new(f->loop, second_fires, f, &f->timer2), 0);
	loop_timer_set(f->timer2, 2 * NS_PER_MS);
	loop_timer_set(f->timer, NS_PER_MS);
	assert_int_equal(loop_run(f->loop), 0);
	assert_string_equal(f->order, "12");
	loop_timer_free(f->timer);
	loop_timer_free(f->timer2);
	loop_timer_free(NULL);
}

static void cancelled_timer_is_silent(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_timer_new(f->loop, first_fires, f, &f->timer), 0);
	assert_int_equal(loop_timer_new(f->loop, second_fires, f, &f->timer2), 0);
	loop_timer_set(f->timer, 0);
	loop_timer_set(f->timer2, 0);
	loop_timer_cancel(f->timer);
	assert_int_equal(loop_run(f->loop), 0);
	assert_string_equal(f->order, "2");
	loop_timer_free(f->timer);
	loop_timer_free(f->timer2);
}

static void rearmed(void *arg)
{
	struct fixture *f = arg;

	if (++f->calls == 3)
		loop_stop(f->loop, 0);
	else
		loop_timer_set(f->timer, 0);
}

static void timer_may_set_itself(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_timer_new(f->loop, rearmed, f, &f->timer), 0);
	loop_timer_set(f->timer, 0);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->calls, 3);
	loop_timer_free(f->timer);
}

static void child_ended(void *arg, int code, int status)
{
	struct fixture *f = arg;

	f->code = code;
	f->status = status;
	loop_stop(f->loop, 0);
}

static void child_is_reaped(void **state)
{
	struct fixture *f = *state;
	pid_t pid = fork();

	if (pid == 0)
		_exit(7);
	assert_int_equal(loop_child_add(f->loop, pid, child_ended, f, &f->child), 0);
	assert_true(loop_child_pidfd(f->child) >= 0);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->code, CLD_EXITED);
	assert_int_equal(f->status, 7);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void no_such_child(void **state)
{
	struct fixture *f = *state;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(loop_child_add(f->loop, pid, child_ended, f, &f->child), -ESRCH);
	loop_child_del(NULL);
}

static void signal_came(void *arg, int signo)
{
	struct fixture *f = arg;

	f->signo = signo;
	loop_stop(f->loop, 0);
}

static void signals_come_through_the_loop(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		loop_signals(f->loop, (const int[]){SIGUSR1, SIGUSR2, 0}, signal_came, f), 0);
	assert_int_equal(raise(SIGUSR2), 0);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->signo, SIGUSR2);
}

int main(void)
{
#define LOOP_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		LOOP_TEST(run_ends_with_the_given_result),
		LOOP_TEST(bad_descriptor),
		LOOP_TEST(removed_watch_is_never_called),
		LOOP_TEST(modified_events_count),
		LOOP_TEST(timers_fire_in_order),
		LOOP_TEST(cancelled_timer_is_silent),
		LOOP_TEST(timer_may_set_itself),
		LOOP_TEST(child_is_reaped),
		LOOP_TEST(no_such_child),
		LOOP_TEST(signals_come_through_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
