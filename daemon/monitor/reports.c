/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/monitor/reports.h"

#include "lib/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

struct report {
	struct reports *all;
	int watch;
	bool changed;
	report_fn *fn;
	void *arg;
	struct report *next;
};

struct reports {
	int fd;
	struct loop_io *io;
	struct loop_timer *timer;
	struct report *first;
};

static void mark(struct reports *rs, const struct inotify_event *e)
{
	for (struct report *r = rs->first; r; r = r->next)
		r->changed |= r->watch == e->wd || (e->mask & IN_Q_OVERFLOW);
}

static void drain(struct reports *rs)
{
	_Alignas(struct inotify_event) char data[4096];
	ssize_t n;

	while ((n = read(rs->fd, data, sizeof(data))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(data + at);

			mark(rs, e);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
}

static void look(void *arg)
{
	struct reports *rs = arg;

	drain(rs);
	for (struct report *r = rs->first; r; r = r->next) {
		if (!r->changed)
			continue;
		r->changed = false;
		r->fn(r->arg);
	}
	if (loop_io_mod(rs->io, EPOLLIN) < 0)
		loop_timer_set(rs->timer, REPORTS_CALM_NS);
}

static void written(void *arg, uint32_t events)
{
	struct reports *rs = arg;

	(void)events;
	if (loop_io_mod(rs->io, 0) < 0)
		look(rs);
	else
		loop_timer_set(rs->timer, REPORTS_CALM_NS);
}

int reports_new(struct loop *loop, struct reports **out)
{
	struct reports *rs = calloc(1, sizeof(*rs));
	int r;

	if (!rs)
		return -ENOMEM;
	rs->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	r = rs->fd < 0 ? -errno : loop_timer_new(loop, look, rs, &rs->timer);
	if (r == 0)
		r = loop_io_add(loop, rs->fd, EPOLLIN, written, rs, &rs->io);
	if (r < 0) {
		reports_free(rs);
		return r;
	}
	*out = rs;
	return 0;
}

void reports_free(struct reports *rs)
{
	if (!rs)
		return;
	while (rs->first)
		report_forget(rs->first);
	loop_io_del(rs->io);
	loop_timer_free(rs->timer);
	if (rs->fd >= 0)
		close(rs->fd);
	free(rs);
}

int report_watch(
	struct reports *rs, const char *path, report_fn *fn, void *arg, struct report **out)
{
	struct report *r;
	int watch;

	if (!rs)
		return -ENOTSUP;
	watch = inotify_add_watch(rs->fd, path, IN_MODIFY);
	if (watch < 0)
		return -errno;
	r = calloc(1, sizeof(*r));
	if (!r) {
		inotify_rm_watch(rs->fd, watch);
		return -ENOMEM;
	}
	*r = (struct report){.all = rs, .watch = watch, .fn = fn, .arg = arg, .next = rs->first};
	rs->first = r;
	*out = r;
	return 0;
}

void report_forget(struct report *r)
{
	struct report **p;

	if (!r)
		return;
	for (p = &r->all->first; *p != r; p = &(*p)->next)
		;
	*p = r->next;
	free(r);
}
