/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /uigniter/wait: a long poll. It is answered when its milestone is reached, when the machine has ended, or when its time is over.
 *
 *   control_get_wait() -> waiting --control_news(), time--> answer()
 *                            +------ the client is gone --> on_gone()
 */
#include "vmm/control_impl.h"

#include "abi/platform.h"
#include "lib/loop.h"
#include "vmm/report.h"
#include "vmm/stat.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define WAIT_DEFAULT_MS 60000

struct waiter {
	struct control *control;
	struct httpd_req *req;
	struct loop_timer *timer;
	const uint64_t *milestone; /* of the VM; NULL: waits for the end */
	struct waiter *next;
};

static void waiter_free(struct waiter *w)
{
	struct waiter **p = &w->control->waiters;

	while (*p != w)
		p = &(*p)->next;
	*p = w->next;
	loop_timer_free(w->timer);
	free(w);
}

static bool reached(const struct waiter *w)
{
	return w->milestone ? stat_get(w->milestone) != 0
			    : vm_state(w->control->config.vm) == VM_ENDED;
}

/* Answers with the status and whether what was waited for has come, and forgets the waiter. */
static void answer(struct waiter *w)
{
	json_t *body = report_json(w->control->config.vm, w->control->config.id);

	if (body)
		json_object_set_new(body, "reached", json_boolean(reached(w)));
	control_reply(w->req, body);
	waiter_free(w);
}

static void on_timeout(void *arg)
{
	answer(arg);
}

static void on_gone(struct httpd_req *req)
{
	struct control *c = httpd_arg(req);

	for (struct waiter *w = c->waiters; w; w = w->next) {
		if (w->req == req) {
			waiter_free(w);
			return;
		}
	}
}

static int64_t timeout_of(const char *text)
{
	char *end = NULL;
	long long ms;

	if (!text)
		return WAIT_DEFAULT_MS;
	errno = 0;
	ms = strtoll(text, &end, 10);
	return errno || end == text || *end || ms < 0 || ms > CONTROL_WAIT_MAX_MS ? -1 : ms;
}

static int milestone_of(const struct vm *vm, const char *name, const uint64_t **milestone)
{
	static const struct {
		const char *name;
		unsigned which;
	} table[] = {{"libos", UIG_MS_LIBOS}, {"program", UIG_MS_PROGRAM},
		{"listen", UIG_MS_LISTEN}, {"idle", UIG_MS_IDLE}, {"exit", 0}};

	for (size_t i = 0; name && i < ARRAY_SIZE(table); i++) {
		if (strcmp(table[i].name, name) == 0) {
			*milestone =
				table[i].which ? &vm->times.milestone_ns[table[i].which] : NULL;
			return 0;
		}
	}
	return -EINVAL;
}

void control_get_wait(struct httpd_req *req)
{
	struct control *c = httpd_arg(req);
	int64_t ms = timeout_of(httpd_query(req, "timeout_ms"));
	const uint64_t *milestone;
	struct waiter *w;

	if (milestone_of(c->config.vm, httpd_query(req, "for"), &milestone) < 0 || ms < 0) {
		control_fault(req,
			"for must be one of libos, program, listen, idle, exit; timeout_ms 0 to "
			"3600000",
			"");
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w || loop_timer_new(c->config.loop, on_timeout, w, &w->timer) < 0) {
		free(w);
		control_fault(req, "out of memory", "");
		return;
	}
	w->control = c;
	w->req = req;
	w->milestone = milestone;
	w->next = c->waiters;
	c->waiters = w;
	if (reached(w) || vm_state(c->config.vm) == VM_ENDED || ms == 0) {
		answer(w);
		return;
	}
	loop_timer_set(w->timer, ms * NS_PER_MS);
	httpd_defer(req, on_gone);
}

void control_news(struct control *c)
{
	bool ended = vm_state(c->config.vm) == VM_ENDED;
	struct waiter *next;

	if (ended)
		control_snapshot_ended(c);
	for (struct waiter *w = c->waiters; w; w = next) {
		next = w->next;
		if (ended || reached(w))
			answer(w);
	}
}
