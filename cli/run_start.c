/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run_start.h"

#include "cli/api.h"
#include "cli/parse.h"
#include "cli/progress.h"
#include "cli/run_request.h"

#include "lib/jsonx.h"
#include "lib/loop.h"
#include "lib/util.h"

#include <errno.h>
#include <string.h>

#define WAIT_DEFAULT_MS 30000 /* as POST /vm/run's */
#define WAIT_MAX_MS     600000

struct starting {
	const struct run_start *start;
	json_t *vm;          /* owned; NULL until the manager has made it */
	struct buf path;     /* of the instance */
	int64_t deadline_ns; /* by the loop's clock */
	struct loop_timer *timer;
	unsigned seconds; /* of this step */
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void tick(void *arg)
{
	struct starting *s = arg;

	progress_at("s", ++s->seconds, 0);
	loop_timer_set(s->timer, NS_PER_S);
}

static void step(struct starting *s, const char *what)
{
	char line[200];

	snprintf(line, sizeof(line), "%.100s: %s", run_subject(s->start->args), what);
	progress_step(line);
	s->seconds = 0;
	loop_timer_set(s->timer, NS_PER_S);
}

/* What the instance is doing by now. */
static void show_state(struct starting *s)
{
	const char *state = text_of(s->vm, "state");

	if (!strcmp(state, "created"))
		step(s, "waiting for a prepared VM");
	else if (strcmp(state, "starting") != 0)
		return;
	else if (json_is_true(json_object_get(s->vm, "cloned")))
		step(s, "going on from its template");
	else if (json_is_true(json_object_get(s->vm, "from_pool")))
		step(s, "booting a prepared VM of the pool");
	else
		step(s, "booting a VM made for it");
}

/* --- calls ------------------------------------------------------------------------------------------------------- */
static int look(struct starting *s, struct err *err)
{
	json_t *now = NULL;
	int rc = api_call(s->start->api, &(struct api_request){.path = s->path.data}, &now, err);

	if (rc) {
		json_decref(now);
		return rc;
	}
	json_decref(s->vm);
	s->vm = now;
	return 0;
}

static int ask(struct starting *s, struct err *err)
{
	const struct run_start *start = s->start;
	const char *id;
	int rc;

	json_object_set_new(start->body, "wait", json_string("none"));
	step(s, "asking for a VM");
	rc = api_call(start->api,
		&(struct api_request){.method = "POST", .path = "/vm/run", .body = start->body},
		&s->vm, err);
	if (rc)
		return rc;
	id = text_of(s->vm, "id");
	if (!*id || api_vm_path(&s->path, id, "", NULL))
		return err_set(err, EIO, "the manager's answer has no id");
	if (start->made)
		start->made(start->arg, id);
	show_state(s);
	return 0;
}

/* One long poll: 1 when the state was reached, 0 when the time is over, or it never will be. */
static int poll_state(struct starting *s, const char *state, struct err *err)
{
	int64_t left_ms = (s->deadline_ns - loop_now_ns()) / NS_PER_MS;
	json_t *answer _cleanup_json_ = NULL;
	struct buf path _cleanup_buf_ = {0};
	int rc;

	if (buf_printf(&path, "%s/wait?state=%s&timeout=%lld.%03lld", s->path.data, state,
		    (long long)(left_ms > 0 ? left_ms / 1000 : 0),
		    (long long)(left_ms > 0 ? left_ms % 1000 : 0)))
		return err_set(err, ENOMEM, "out of memory");
	rc = api_call(s->start->api, &(struct api_request){.path = path.data}, &answer, err);
	return rc ? rc : json_is_true(json_object_get(answer, "reached"));
}

static bool has_ended(const struct starting *s)
{
	static const char *const ended[] = {"stopped", "failed", "crashed"};

	return is_one_of(text_of(s->vm, "state"), ended, ARRAY_SIZE(ended));
}

/* The manager's own sentences (daemon/api/vm_run.c): with --wait they come from here. */
static int not_reached(struct starting *s, struct err *err)
{
	const char *name, *reason;
	int rc = look(s, err);

	if (rc == -ENOENT)
		return err_set(err, EIO, "the VM has ended before it was ready, and was removed");
	if (rc)
		return rc;
	name = text_of(s->vm, "name");
	reason = text_of(s->vm, "reason");
	if (!strcmp(text_of(s->vm, "state"), "failed"))
		return err_set(err, EIO, "VM %s could not be started: %s", name, reason);
	if (has_ended(s))
		return err_set(err, EIO,
			"VM %s has ended before it was ready: %s (see: uigniter logs %s)", name,
			reason, name);
	return err_set(err, ETIMEDOUT,
		"VM %s runs, but was not ready in the time given (see: uigniter logs %s)", name,
		name);
}

static int await_state(struct starting *s, const char *state, struct err *err)
{
	int reached = poll_state(s, state, err);

	return reached < 0 ? reached : reached ? 0 : not_reached(s, err);
}

/* One that ran, and has ended since, was started. */
static int await_started(struct starting *s, struct err *err)
{
	int reached = poll_state(s, "running", err), rc;

	if (reached)
		return reached < 0 ? reached : 0;
	rc = look(s, err);
	if (rc)
		return rc;
	return has_ended(s) && strcmp(text_of(s->vm, "state"), "failed") != 0 ? 0
									      : not_reached(s, err);
}

static int go_through(struct starting *s, bool ready, struct err *err)
{
	char line[80];
	int rc = ask(s, err);

	rc = rc ? rc : ready ? await_state(s, "running", err) : await_started(s, err);
	if (!rc && ready) {
		step(s, "running, waiting until it is ready");
		rc = await_state(s, "ready", err);
	}
	rc = rc ? rc : look(s, err);
	if (rc)
		return rc;
	snprintf(line, sizeof(line), "%s after %.1f ms", ready ? "ready" : "started",
		json_number_value(json_object_get(s->vm, ready ? "ready_ms" : "start_ms")));
	step(s, line);
	return 0;
}

int run_start(const struct run_start *start, json_t **vm, struct err *err)
{
	bool ready = !strcmp(text_of(start->body, "wait"), "ready");
	int64_t wait_ms = WAIT_DEFAULT_MS;
	struct starting s = {.start = start};
	int rc;

	jsonx_opt_int(start->body, "wait_timeout_ms", 1, WAIT_MAX_MS, &wait_ms, NULL);
	s.deadline_ns = loop_now_ns() + wait_ms * NS_PER_MS;
	rc = loop_timer_new(api_loop(start->api), tick, &s, &s.timer);
	if (rc)
		return err_sys(err, -rc, "cannot wait for the manager");
	progress_init(start->args);
	rc = go_through(&s, ready, err);
	progress_end();
	loop_timer_free(s.timer);
	if (!rc)
		*vm = steal_ptr(&s.vm);
	else if (s.path.data)
		*vm = json_pack("{s:s}", "vm_id", text_of(s.vm, "id"));
	else
		*vm = steal_ptr(&s.vm); /* the problem */
	json_decref(s.vm);
	buf_fini(&s.path);
	return rc;
}
