/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trial of a template: its first clone is started for nobody, asked once, and thrown away. Its monitor has watched which pages it touched
 * from its start to the answer, and writes them down: the working set, which later clones have ready before they are asked for. What
 * fails here does not fail the template: its first real clone is watched then.
 *
 *   trial_begin()       a clone is loaded: trial_go()     its port takes connections      answered      the set is written: trial_end()
 *   -------------> WAITING ----------------------> STARTED -----------------> ASKED ---------------> RECORDING -------------> (gone)
 */
#include "daemon/core.h"
#include "daemon/image/config.h"
#include "daemon/instance/instance.h"
#include "daemon/template/exercise.h"
#include "daemon/template/impl.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>

#define TRIAL_NS (30 * NS_PER_S)

struct trial {
	struct template *template;
	struct instance *inst; /* NULL: no clone is loaded yet */
	struct instance_waiter *waiter;
	struct exercise *exercise;
};

bool trial_wants_clone(const struct template *t)
{
	return t->trial && !t->trial->inst;
}

bool trial_is(const struct template *t, const struct instance *inst)
{
	return t->trial && strcmp(inst->mark.fn, TEMPLATE_MARK) == 0 && !inst->freeze;
}

int trial_begin(struct template *t)
{
	t->trial = calloc(1, sizeof(*t->trial));
	if (!t->trial)
		return -ENOMEM;
	t->trial->template = t;
	clones_load_soon(t->all);
	return 0;
}

void trial_free(struct template *t)
{
	struct trial *trial = steal_ptr(&t->trial);

	if (!trial)
		return;
	exercise_free(trial->exercise);
	if (trial->waiter)
		instance_wait_cancel(trial->waiter);
	template_end_instance(trial->inst);
	free(trial);
}

static void trial_end(struct trial *trial, const char *why)
{
	struct template *t = trial->template;

	if (why)
		log_warn("a template has no working set", "template=%s image=%s reason=\"%s\"",
			t->id, t->image, why);
	trial_free(t);
	template_ready(t);
}

static void recorded(void *arg, struct shell *shell, const struct err *failed)
{
	(void)shell;
	trial_end(arg, failed ? failed->msg : NULL);
}

static void asked(void *arg, unsigned answered)
{
	struct trial *trial = arg;
	struct shell *shell = trial->inst->shell;
	struct err err = {0};

	(void)answered; /* a server of another protocol has at least taken the connection */
	exercise_free(steal_ptr(&trial->exercise));
	if (!shell->ops->record)
		trial_end(trial, "the monitor records none");
	else if (shell->ops->record(shell, recorded, trial, &err) < 0)
		trial_end(trial, err.msg);
}

static void has_ended(void *arg, struct instance *inst, bool reached)
{
	struct trial *trial = arg;

	(void)inst;
	(void)reached;
	trial->waiter = NULL;
	trial_end(trial, "the clone that was tried ended");
}

static void is_ready(void *arg, struct instance *inst, bool reached)
{
	struct trial *trial = arg;
	struct core *core = inst->core;
	struct exercise_spec spec;

	trial->waiter = NULL;
	if (!reached || !inst->cloned) {
		trial_end(trial, reached ? "no clone was loaded" : "the clone was not ready");
		return;
	}
	template_exercise_of(inst, &spec);
	spec.requests = 1;
	trial->waiter = instance_wait(inst, GOAL_ENDED, TRIAL_NS, has_ended, trial);
	if (!trial->waiter ||
		exercise_new(core->loop, core->network, &spec, asked, trial, &trial->exercise) < 0)
		trial_end(trial, "there is no memory to ask with");
}

/* As the instance was run that was frozen, which stands there still. */
void trial_go(struct template *t)
{
	struct trial *trial = t->trial;
	const struct instance *was = t->inst;
	_cleanup_json_ json_t *env = was ? template_env_of(was) : NULL;
	struct run_spec spec = {.env = env, .auto_remove = true, .request_ns = loop_now_ns()};
	struct err err = {0};
	unsigned retry_s;

	if (!was || instance_has_ended(was)) {
		trial_end(trial, "the instance that was frozen has ended");
		return;
	}
	spec.image = was->image;
	spec.shell = was->spec;
	spec.shell.ip = 0;
	spec.argv = was->argv;
	snprintf(spec.mark.fn, sizeof(spec.mark.fn), TEMPLATE_MARK);
	if (instance_run(t->all->core->instances, &spec, &trial->inst, &retry_s, &err) < 0) {
		trial_end(trial, err.msg);
		return;
	}
	template_let_go(t);
	if (!instance_has_ended(trial->inst))
		trial->waiter = instance_wait(trial->inst, GOAL_READY, TRIAL_NS, is_ready, trial);
	if (!trial->waiter)
		trial_end(trial, "the clone could not be started");
}
