/* SPDX-License-Identifier: Apache-2.0 */
/* Files whose changes are told, by a real loop and the kernel's own inotify. */
#include "daemon/monitor/reports.h"

#include "lib/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct file {
	struct loop *loop;
	char path[32];
	int fd;
	unsigned told;
	struct report *report;
};

static void told(void *arg)
{
	struct file *f = arg;

	f->told++;
	loop_stop(f->loop, 0);
}

static void make(struct file *f, struct loop *loop, struct reports *reports)
{
	*f = (struct file){.loop = loop, .path = "/tmp/uig-reports-XXXXXX"};
	f->fd = mkstemp(f->path);
	assert_true(f->fd >= 0);
	assert_int_equal(report_watch(reports, f->path, told, f, &f->report), 0);
}

/* As uvmm's report_replace(). */
static void replace(const struct file *f)
{
	assert_int_equal(ftruncate(f->fd, 0), 0);
	assert_int_equal(pwrite(f->fd, "{}\n", 3, 0), 3);
}

static void end(struct file *f)
{
	close(f->fd);
	unlink(f->path);
}

static void test_told(void **state)
{
	struct reports *reports;
	struct loop *loop;
	struct file a, b;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(reports_new(loop, &reports), 0);
	make(&a, loop, reports);
	make(&b, loop, reports);
	for (int i = 0; i < 100; i++)
		replace(&a);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(a.told, 1); /* of what was written before it is looked at */
	assert_int_equal(b.told, 0);
	replace(&b);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(b.told, 1);
	/* of one that is forgotten, and of one whose file is gone, nothing comes any more */
	replace(&a);
	report_forget(a.report);
	end(&a);
	replace(&b);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(a.told, 1);
	assert_int_equal(b.told, 2);
	end(&b);
	reports_free(reports);
	loop_free(loop);
}

static void test_refused(void **state)
{
	struct reports *reports;
	struct report *report = NULL;
	struct loop *loop;

	(void)state;
	assert_int_equal(report_watch(NULL, "/tmp", told, NULL, &report), -ENOTSUP);
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(reports_new(loop, &reports), 0);
	assert_int_equal(report_watch(reports, "/nonexistent/x", told, NULL, &report), -ENOENT);
	assert_null(report);
	report_forget(NULL);
	reports_free(reports);
	reports_free(NULL);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
