/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/operation.h"

#include "daemon/api/vm_json.h"
#include "daemon/core.h"
#include "daemon/events.h"
#include "daemon/state/keep.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define RECORD_DEPTH 32
#define PREFIX_MIN   4
#define CALM_NS      (50 * NS_PER_MS) /* between two tidings of progress */

const char *const operation_state_names[] = {"running", "done", "failed", NULL};

struct operation_follower {
	struct operation *op;
	uint64_t seen; /* version */
	operation_fn *fn;
	void *arg;
	struct operation_follower *next;
};

struct operation {
	struct operations *all;
	char id[ID_TEXT_BYTES];
	char kind[32], subject[256];
	enum operation_state state;
	uint64_t version;
	struct timespec created, ended;
	char step[160], unit[16];
	uint64_t done, total;
	char *location;    /* owned; NULL: none */
	json_t *result;    /* owned; NULL: none */
	unsigned status;   /* why it failed */
	char code[32];     /* of the problem */
	char detail[1024]; /* its sentence */
	void (*cancel)(void *arg);
	void *arg;
	bool held; /* by who does the work */
	struct operation_follower *followers;
	struct operation *next; /* older */
};

struct operations {
	struct core *core;
	struct operation *first;
	unsigned running, ended;
	struct loop_timer *timer; /* tells the followers */
	int64_t timer_ns;         /* when; 0: it is not set */
	bool stopped;
};

/* --- telling ----------------------------------------------------------------------------------------------------- */
/* The first that has not seen how its operation is. */
static struct operation_follower *behind(const struct operations *ops)
{
	for (const struct operation *op = ops->first; op; op = op->next)
		for (struct operation_follower *f = op->followers; f; f = f->next)
			if (f->seen != op->version)
				return f;
	return NULL;
}

static void tell(void *arg)
{
	struct operations *ops = arg;
	struct operation_follower *f;

	ops->timer_ns = 0;
	while ((f = behind(ops))) { /* anew each time: any of them may have gone */
		f->seen = f->op->version;
		f->fn(f->arg, f->op);
	}
}

static void changed(struct operation *op, int64_t in_ns)
{
	struct operations *ops = op->all;
	int64_t at = loop_now_ns() + in_ns;

	op->version++;
	if (!op->followers || (ops->timer_ns && ops->timer_ns <= at))
		return;
	ops->timer_ns = at;
	loop_timer_set(ops->timer, in_ns);
}

struct operation_follower *operation_follow(struct operation *op, operation_fn *fn, void *arg)
{
	struct operation_follower *f = malloc(sizeof(*f));

	if (!f)
		return NULL;
	*f = (struct operation_follower){
		.op = op, .seen = op->version, .fn = fn, .arg = arg, .next = op->followers};
	op->followers = f;
	return f;
}

void operation_unfollow(struct operation_follower *f)
{
	struct operation_follower **p = &f->op->followers;

	while (*p != f)
		p = &(*p)->next;
	*p = f->next;
	free(f);
}

/* --- as JSON ----------------------------------------------------------------------------------------------------- */
static json_t *error_json(const struct operation *op)
{
	if (op->state != OPERATION_FAILED)
		return json_null();
	return json_pack("{s:i, s:s, s:s}", "status", (int)op->status, "code", op->code, "detail",
		op->detail);
}

static json_t *progress_json(const struct operation *op)
{
	return json_pack("{s:s, s:s?, s:I, s:o}", "step", op->step, "unit",
		op->unit[0] ? op->unit : NULL, "done", (json_int_t)op->done, "total",
		op->total ? json_integer((json_int_t)op->total) : json_null());
}

json_t *operation_json(const struct operation *op)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:s?, s:O?, s:o, s:o}", "id", op->id,
		"kind", op->kind, "subject", op->subject, "state", operation_state_names[op->state],
		"cancellable", op->cancel && op->state == OPERATION_RUNNING, "created_at",
		time_json(&op->created), "ended_at",
		op->ended.tv_sec ? time_json(&op->ended) : json_null(), "location", op->location,
		"result", op->result, "error", error_json(op), "progress", progress_json(op));
}

/* --- what is kept ------------------------------------------------------------------------------------------------ */
static void save(const struct operation *op)
{
	_cleanup_json_ json_t *record = json_pack(
		"{s:s, s:s, s:i, s:I, s:I, s:s?, s:O?, s:i, s:s, s:s}", "kind", op->kind, "subject",
		op->subject, "state", (int)op->state, "created", (json_int_t)op->created.tv_sec,
		"ended", (json_int_t)op->ended.tv_sec, "location", op->location, "result",
		op->result, "status", (int)op->status, "code", op->code, "detail", op->detail);
	struct err err = {0};

	if (keep_put_json(op->all->core->keep, STATE_OPERATION, op->id, record, &err) < 0)
		log_warn("an operation is not in the database yet", "operation=%s error=\"%s\"",
			op->id, err.msg);
}

static void operation_free(struct operation *op)
{
	struct operation_follower *f;

	while ((f = op->followers)) {
		op->followers = f->next;
		f->fn(f->arg, NULL);
		free(f);
	}
	free(op->location);
	json_decref(op->result);
	free(op);
}

static void forget(struct operation *op)
{
	struct operation **p = &op->all->first;

	while (*p != op)
		p = &(*p)->next;
	*p = op->next;
	op->all->ended--;
	keep_delete(op->all->core->keep, STATE_OPERATION, op->id, NULL);
	operation_free(op);
}

/* The oldest that have ended go, when there are more than are kept. */
static void trim(struct operations *ops)
{
	while (ops->ended > OPERATIONS_KEPT) {
		struct operation *oldest = NULL;

		for (struct operation *op = ops->first; op; op = op->next)
			if (op->state != OPERATION_RUNNING && !op->held)
				oldest = op;
		if (!oldest)
			return;
		forget(oldest);
	}
}

static struct operation *operation_new(struct operations *ops, const char *id)
{
	struct operation *op = calloc(1, sizeof(*op));

	if (!op)
		return NULL;
	op->all = ops;
	op->version = 1;
	if (id)
		snprintf(op->id, sizeof(op->id), "%s", id);
	else
		id_new(op->id);
	op->next = ops->first;
	ops->first = op;
	return op;
}

/* --- for who does the work --------------------------------------------------------------------------------------- */
int operation_begin(struct operations *ops, const struct operation_spec *spec,
	struct operation **out, struct err *err)
{
	struct operation *op;

	if (ops->stopped)
		return err_set(err, EAGAIN, "the manager is ending");
	if (ops->running >= OPERATIONS_RUNNING_MAX)
		return err_set(err, EAGAIN, "%u operations are running already (GET /operation)",
			ops->running);
	op = operation_new(ops, NULL);
	if (!op)
		return err_sys(err, ENOMEM, "operation");
	snprintf(op->kind, sizeof(op->kind), "%s", spec->kind);
	snprintf(op->subject, sizeof(op->subject), "%s", spec->subject);
	op->cancel = spec->cancel;
	op->arg = spec->arg;
	op->held = true;
	clock_gettime(CLOCK_REALTIME, &op->created);
	ops->running++;
	save(op);
	events_operation(ops->core->events, "begun", op->id, op->kind, op->subject, NULL);
	*out = op;
	return 0;
}

/* Of what others have said: no byte that is not of ASCII's text, so that it always is JSON. */
static void make_plain(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

void operation_step(struct operation *op, const char *fmt, ...)
{
	va_list ap;

	if (op->state != OPERATION_RUNNING)
		return;
	va_start(ap, fmt);
	vsnprintf(op->step, sizeof(op->step), fmt, ap);
	va_end(ap);
	make_plain(op->step);
	op->unit[0] = '\0';
	op->done = op->total = 0;
	changed(op, 0);
}

void operation_progress(struct operation *op, const char *unit, uint64_t done, uint64_t total)
{
	if (op->state != OPERATION_RUNNING)
		return;
	snprintf(op->unit, sizeof(op->unit), "%s", unit);
	op->done = done;
	op->total = total;
	changed(op, CALM_NS);
}

static void end(struct operation *op, enum operation_state state)
{
	struct operations *ops = op->all;

	op->state = state;
	clock_gettime(CLOCK_REALTIME, &op->ended);
	op->cancel = NULL;
	ops->running--;
	ops->ended++;
	save(op);
	log_info("operation ended",
		"operation=%s kind=%s subject=\"%.128s\" state=%s detail=\"%.300s\"", op->id,
		op->kind, op->subject, operation_state_names[state], op->detail);
	events_operation(ops->core->events, operation_state_names[state], op->id, op->kind,
		op->subject, op->detail[0] ? op->detail : NULL);
	changed(op, 0);
}

void operation_done(struct operation *op, const char *location, json_t *result)
{
	op->held = false;
	if (op->state != OPERATION_RUNNING) {
		json_decref(result);
		return;
	}
	op->location = location ? strdup(location) : NULL;
	op->result = result;
	end(op, OPERATION_DONE);
	trim(op->all);
}

static void failed(struct operation *op, unsigned status, const char *code, const char *detail)
{
	op->status = status;
	snprintf(op->code, sizeof(op->code), "%s", code);
	snprintf(op->detail, sizeof(op->detail), "%s", detail);
	make_plain(op->detail);
	end(op, OPERATION_FAILED);
}

void operation_fail(struct operation *op, unsigned status, const char *code, const char *fmt, ...)
{
	char detail[sizeof(op->detail)];
	va_list ap;

	op->held = false;
	if (op->state != OPERATION_RUNNING)
		return;
	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	failed(op, status, code, detail);
	trim(op->all);
}

/* --- for who looks ----------------------------------------------------------------------------------------------- */
int operations_find(const struct operations *ops, const char *key, struct operation **out)
{
	struct operation *found = NULL;
	size_t len = strlen(key);

	if (len < PREFIX_MIN)
		return -ENOENT;
	for (struct operation *op = ops->first; op; op = op->next) {
		if (strncmp(op->id, key, len) != 0)
			continue;
		if (found)
			return -EEXIST;
		found = op;
	}
	if (!found)
		return -ENOENT;
	*out = found;
	return 0;
}

struct operation *operations_first(const struct operations *ops)
{
	return ops->first;
}

struct operation *operation_next(const struct operation *op)
{
	return op->next;
}

uint64_t operation_version(const struct operation *op)
{
	return op->version;
}

const char *operation_id(const struct operation *op)
{
	return op->id;
}

const char *operation_kind(const struct operation *op)
{
	return op->kind;
}

enum operation_state operation_state(const struct operation *op)
{
	return op->state;
}

int operation_cancel(struct operation *op)
{
	if (!op->cancel)
		return -ENOTSUP;
	op->cancel(op->arg);
	return 0;
}

int operation_forget(struct operation *op)
{
	if (op->state == OPERATION_RUNNING || op->held)
		return -EBUSY;
	forget(op);
	return 0;
}

/* --- with the manager -------------------------------------------------------------------------------------------- */
static void fail_ended(struct operation *op)
{
	failed(op, 503, "manager_ended", "the manager ended before it was done: ask for it again");
}

static int read_record(void *arg, const char *id, const char *text, size_t len)
{
	struct operations *ops = arg;
	_cleanup_json_ json_t *record = NULL;
	const char *kind = "", *subject = "", *location = NULL, *code = "", *detail = "";
	int64_t state = OPERATION_FAILED, created = 0, ended = 0, status = 0;
	struct operation *op;
	struct err err = {0};

	if (jsonx_parse_object(text, len, RECORD_DEPTH, &record, &err) < 0 ||
		jsonx_str(record, "kind", sizeof(op->kind) - 1, &kind, &err) < 0 ||
		jsonx_int(record, "state", 0, OPERATION_FAILED, &state, &err) < 0) {
		log_warn("the record of an operation can not be read", "operation=%s error=\"%s\"",
			id, err.msg);
		return 0;
	}
	jsonx_opt_str(record, "subject", sizeof(op->subject) - 1, &subject, NULL);
	jsonx_opt_str(record, "location", sizeof(op->detail), &location, NULL);
	jsonx_opt_str(record, "code", sizeof(op->code) - 1, &code, NULL);
	jsonx_opt_str(record, "detail", sizeof(op->detail) - 1, &detail, NULL);
	jsonx_opt_int(record, "created", 0, INT64_MAX, &created, NULL);
	jsonx_opt_int(record, "ended", 0, INT64_MAX, &ended, NULL);
	jsonx_opt_int(record, "status", 0, 599, &status, NULL);
	op = operation_new(ops, id);
	if (!op)
		return -ENOMEM;
	op->state = (enum operation_state)state;
	op->created.tv_sec = created;
	op->ended.tv_sec = ended;
	op->status = (unsigned)status;
	snprintf(op->kind, sizeof(op->kind), "%s", kind);
	snprintf(op->subject, sizeof(op->subject), "%s", subject);
	snprintf(op->code, sizeof(op->code), "%s", code);
	snprintf(op->detail, sizeof(op->detail), "%s", detail);
	op->location = location ? strdup(location) : NULL;
	if (json_is_object(json_object_get(record, "result")))
		op->result = json_incref(json_object_get(record, "result"));
	*(op->state == OPERATION_RUNNING ? &ops->running : &ops->ended) += 1;
	return 0;
}

int operations_new(struct core *core, struct operations **out, struct err *err)
{
	struct operations *ops = calloc(1, sizeof(*ops));
	int r;

	if (!ops)
		return err_sys(err, ENOMEM, "operations");
	ops->core = core;
	*out = ops;
	r = loop_timer_new(core->loop, tell, ops, &ops->timer);
	if (r < 0)
		return err_sys(err, -r, "operations");
	r = state_db_each(core->state, STATE_OPERATION, read_record, ops, err);
	for (struct operation *op = ops->first; op; op = op->next)
		if (op->state == OPERATION_RUNNING)
			fail_ended(op);
	trim(ops);
	return r;
}

void operations_stop(struct operations *ops)
{
	if (!ops || ops->stopped)
		return;
	ops->stopped = true;
	for (struct operation *op = ops->first; op; op = op->next)
		if (op->state == OPERATION_RUNNING)
			fail_ended(op);
}

void operations_free(struct operations *ops)
{
	struct operation *op;

	if (!ops)
		return;
	operations_stop(ops);
	while ((op = ops->first)) {
		ops->first = op->next;
		operation_free(op);
	}
	loop_timer_free(ops->timer);
	free(ops);
}
