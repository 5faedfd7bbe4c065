/* SPDX-License-Identifier: Apache-2.0 */
/* Requests whose answer waits for what becomes of a VM. */
#include "daemon/api/api.h"
#include "daemon/instance/instance.h"

struct waiting {
	struct httpd_req *req;
	struct instance_waiter *waiter; /* NULL: it has come */
	api_waited_fn *answer;
};

static void waiting_free(void *data)
{
	struct waiting *w = data;

	if (w->waiter)
		instance_wait_cancel(w->waiter);
	free(w);
}

static void waited(void *arg, struct instance *i, bool reached)
{
	struct waiting *w = arg;

	w->waiter = NULL;
	w->answer(w->req, i, reached);
}

typedef struct instance_waiter *wait_fn(struct instance *inst, enum instance_goal goal,
	int64_t timeout_ns, instance_wait_fn *fn, void *arg);

static void answer_by(struct httpd_req *req, struct instance *i, enum instance_goal goal,
	int64_t timeout_ns, api_waited_fn *answer, wait_fn *wait)
{
	struct waiting *w;

	w = httpd_data(req); /* of its first wait, when this is another one */
	if (!w)
		w = calloc(1, sizeof(*w));
	if (w) {
		*w = (struct waiting){.req = req, .answer = answer};
		httpd_set_data(req, w, waiting_free);
		w->waiter = wait(i, goal, timeout_ns, waited, w);
	}
	if (!w || !w->waiter) {
		answer_problem(req, 500, "internal", "there is no memory to wait with");
		return;
	}
	instance_wait_insist(w->waiter);
	httpd_defer(req, NULL);
}

void api_answer_when(struct httpd_req *req, struct instance *i, enum instance_goal goal,
	int64_t timeout_ns, api_waited_fn *answer)
{
	if (instance_reached(i, goal) || instance_has_ended(i))
		answer(req, i, instance_reached(i, goal));
	else
		answer_by(req, i, goal, timeout_ns, answer, instance_wait);
}

void api_answer_on(struct httpd_req *req, struct instance *i, enum instance_goal goal,
	int64_t timeout_ns, api_waited_fn *answer)
{
	if (instance_reached(i, goal) || !instance_may_reach(i))
		answer(req, i, instance_reached(i, goal));
	else
		answer_by(req, i, goal, timeout_ns, answer, instance_wait_on);
}
