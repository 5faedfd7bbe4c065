/* SPDX-License-Identifier: Apache-2.0 */
/* The VMs that are there: list, look, stop, kill, wait, remove. */
#include "daemon/api/api.h"
#include "daemon/api/idempotency.h"
#include "daemon/api/query.h"
#include "daemon/api/vm_json.h"
#include "daemon/core.h"
#include "daemon/image/name.h"
#include "daemon/image/store.h"
#include "daemon/instance/instance.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define LIST_MAX        1000
#define KILL_WAIT_NS    (30 * NS_PER_S)
#define WAIT_DEFAULT_NS (30 * NS_PER_S)
#define START_WAIT_NS   (30 * NS_PER_S)

/* --- list --------------------------------------------------------------------------------------------------- */
struct filter {
	int state; /* -1: any */
	const char *image, *label;
};

static bool label_matches(const struct instance *i, const char *label)
{
	const char *equals = strchr(label, '=');
	char key[160];
	const char *value;

	if (!equals)
		return json_object_get(i->labels, label) != NULL;
	if ((size_t)(equals - label) >= sizeof(key))
		return false;
	memcpy(key, label, (size_t)(equals - label));
	key[equals - label] = '\0';
	value = json_string_value(json_object_get(i->labels, key));
	return value && strcmp(value, equals + 1) == 0;
}

/* The image that it was made from, by name or (the beginning of its) digest. */
static bool image_matches(const struct instance *i, const char *reference)
{
	if (image_is_digest(reference))
		return strncmp(image_digest(i->image), reference, strlen(reference)) == 0;
	return image_name_equal(i->image->name, reference);
}

static bool matches(const struct instance *i, const struct filter *f)
{
	return !instance_is_gone(i) && (f->state < 0 || (int)i->state == f->state) &&
		(!f->image || image_matches(i, f->image)) &&
		(!f->label || label_matches(i, f->label));
}

/* "MICROSECONDS.ID": when the last VM of a page was made, and which one it is. */
struct cursor {
	int64_t created_us;
	char id[ID_TEXT_BYTES];
};
#define CURSOR_BYTES (ID_TEXT_BYTES + 24)

static int64_t created_us(const struct instance *i)
{
	return (int64_t)i->created.tv_sec * 1000000 + i->created.tv_nsec / 1000;
}

/* false: the answer has been given. */
static bool query_cursor(struct httpd_req *req, struct cursor *c)
{
	const char *text = httpd_query(req, "cursor");
	struct check check = {.pointer = ""};
	char *end;

	if (!text)
		return true;
	c->created_us = isdigit((unsigned char)*text) ? strtoll(text, &end, 10) : -1;
	if (c->created_us > 0 && *end == '.' && strlen(end + 1) == sizeof(c->id) - 1) {
		memcpy(c->id, end + 1, sizeof(c->id));
		return true;
	}
	check_fail(&check, "cursor", NULL, "cursor: the next_cursor of another page is wanted");
	answer_check(req, &check);
	return false;
}

/* Where a page begins: behind the last VM of the one before; when that is gone, at the first that was made after it. */
static const struct instance *page_start(const struct instances *is, const struct cursor *c)
{
	const struct instance *i = instances_first(is);

	while (i && c->id[0] && strcmp(i->id, c->id) != 0)
		i = i->next;
	if (i && c->id[0])
		return i->next;
	for (i = instances_first(is); i && created_us(i) <= c->created_us; i = i->next)
		;
	return i;
}

static json_t *next_cursor(const struct instance *last)
{
	char text[CURSOR_BYTES];

	if (!last)
		return json_null();
	snprintf(text, sizeof(text), "%lld.%s", (long long)created_us(last), last->id);
	return json_string(text);
}

void vm_list(struct httpd_req *req)
{
	struct instances *is = api_core(req)->instances;
	struct filter f = {.state = -1,
		.image = httpd_query(req, "image"),
		.label = httpd_query(req, "label")};
	const struct instance *i, *last = NULL;
	struct cursor cursor = {0};
	long limit = LIST_MAX;
	json_t *items;

	if (!query_word(req, "state", instance_state_names, &f.state) ||
		!query_long(req, "limit", 1, LIST_MAX, &limit) || !query_cursor(req, &cursor))
		return;
	instances_settle(is);
	items = json_array();
	for (i = page_start(is, &cursor); i; i = i->next) {
		if (!matches(i, &f))
			continue;
		if ((long)json_array_size(items) == limit)
			break;
		json_array_append_new(items, vm_json(i));
		last = i;
	}
	answer_json(req, 200,
		json_pack(
			"{s:o, s:o}", "items", items, "next_cursor", next_cursor(i ? last : NULL)));
}

void vm_get(struct httpd_req *req)
{
	struct instance *i = api_instance(req);

	if (!i)
		return;
	instance_settle(i);
	answer_json(req, 200, vm_json(i));
}

static void answer_stopped(struct httpd_req *req, struct instance *i, bool reached)
{
	(void)reached;
	answer_json(req, 201, vm_json(i));
}

void vm_stop(struct httpd_req *req)
{
	struct instance *i = api_instance(req);
	int64_t timeout_ns = INSTANCE_STOP_NS;

	if (!i || !query_seconds(req, "timeout", &timeout_ns))
		return;
	instance_stop(i, timeout_ns);
	api_answer_when(req, i, GOAL_ENDED, timeout_ns + KILL_WAIT_NS, answer_stopped);
}

static void answer_killed(struct httpd_req *req, struct instance *i, bool reached)
{
	(void)reached;
	answer_json(req, 200, vm_json(i));
}

void vm_kill(struct httpd_req *req)
{
	struct instance *i = api_instance(req);

	if (!i)
		return;
	instance_kill(i);
	api_answer_when(req, i, GOAL_ENDED, KILL_WAIT_NS, answer_killed);
}

/* --- start, restart, pause, resume ------------------------------------------------------------------------------ */
static void answer_started(struct httpd_req *req, struct instance *i, bool reached)
{
	instance_settle(i);
	if (reached || i->state == VM_STOPPED || i->state == VM_CRASHED) /* it ran */
		answer_json(req, 200, vm_json(i));
	else
		answer_vm_problem(req, 503, "start_failed", i->id, "VM %s could not be started: %s",
			i->name, i->reason);
}

static void start(struct httpd_req *req, struct instance *i)
{
	struct err err = {0};
	unsigned retry_s = 1;
	int r;

	if (api_core(req)->ending) {
		answer_retry(req, 503, "unavailable", 10, "the manager is ending");
		return;
	}
	r = instance_start(i, &retry_s, &err);
	if (r == -EBUSY)
		answer_problem(req, 409, "conflict", "%s", err.msg);
	else if (r < 0)
		answer_run_refused(req, r, retry_s, &err);
	else
		api_answer_when(req, i, GOAL_RUNNING, START_WAIT_NS, answer_started);
}

void vm_start_again(struct httpd_req *req)
{
	struct instance *i = api_instance(req);

	if (i)
		start(req, i);
}

/* Of several who asked for it at once the first starts it. */
static void stopped_to_start(struct httpd_req *req, struct instance *i, bool reached)
{
	if (!reached)
		answer_problem(req, 500, "internal", "VM %s does not end", i->name);
	else if (instance_has_ended(i))
		start(req, i);
	else
		api_answer_when(req, i, GOAL_RUNNING, START_WAIT_NS, answer_started);
}

void vm_restart(struct httpd_req *req)
{
	struct instance *i = api_instance(req);
	int64_t timeout_ns = INSTANCE_STOP_NS;

	if (!i || !query_seconds(req, "timeout", &timeout_ns))
		return;
	instance_stop(i, timeout_ns);
	api_answer_when(req, i, GOAL_ENDED, timeout_ns + KILL_WAIT_NS, stopped_to_start);
}

static void answer_action(
	struct httpd_req *req, const struct instance *i, int r, const struct err *err)
{
	if (r < 0)
		answer_problem(req, 409, "conflict", "%s", err->msg);
	else
		answer_json(req, 200, vm_json(i));
}

void vm_pause(struct httpd_req *req)
{
	struct instance *i = api_instance(req);
	struct err err = {0};

	if (i)
		answer_action(req, i, instance_pause(i, &err), &err);
}

void vm_resume(struct httpd_req *req)
{
	struct instance *i = api_instance(req);
	struct err err = {0};

	if (i)
		answer_action(req, i, instance_resume(i, &err), &err);
}

/* A run with the key that made it makes another one. */
static void forget_key(struct httpd_req *req, const struct instance *i)
{
	char location[sizeof("/vm/") + ID_TEXT_BYTES];

	snprintf(location, sizeof(location), "/vm/%s", i->id);
	idempotency_forget(api_keys(req), location);
}

static void answer_deleted(struct httpd_req *req, struct instance *i, bool reached)
{
	if (!reached) {
		answer_problem(
			req, 500, "internal", "VM %s does not end though it was killed", i->name);
		return;
	}
	forget_key(req, i);
	instance_remove_soon(i);
	httpd_reply(req, 204, NULL, NULL, 0);
}

void vm_delete(struct httpd_req *req)
{
	struct instance *i = api_instance(req);
	bool force = false;

	if (!i || !query_bool(req, "force", &force))
		return;
	if (instance_has_ended(i)) {
		forget_key(req, i);
		instance_remove(i);
		httpd_reply(req, 204, NULL, NULL, 0);
		return;
	}
	if (!force) {
		answer_problem(req, 409, "conflict",
			"VM %s is %s: stop it first, or use ?force=true", i->name,
			instance_state_names[i->state]);
		return;
	}
	i->doomed = i->auto_remove = true; /* whoever else waits for its end, to start it again */
	instance_kill(i);
	api_answer_when(req, i, GOAL_ENDED, KILL_WAIT_NS, answer_deleted);
}

static void answer_wait(struct httpd_req *req, struct instance *i, bool reached)
{
	answer_json(req, 200,
		json_pack("{s:b, s:s, s:o, s:s?}", "reached", (int)reached, "state",
			instance_state_names[i->state], "exit_code",
			i->has_exit_code ? json_integer(i->exit_code) : json_null(), "reason",
			i->reason[0] ? i->reason : NULL));
}

void vm_wait(struct httpd_req *req)
{
	struct instance *i = api_instance(req);
	int64_t timeout_ns = WAIT_DEFAULT_NS;
	int goal = GOAL_ENDED;

	if (!i || !query_word(req, "state", instance_goal_names, &goal) ||
		!query_seconds(req, "timeout", &timeout_ns))
		return;
	api_answer_on(req, i, (enum instance_goal)goal, timeout_ns, answer_wait);
}
