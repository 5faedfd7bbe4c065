/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/operation.h"

#include "cli/progress.h"
#include "cli/sse.h"

#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>

#define ID_MAX_BYTES 36

struct following {
	json_t *last; /* owned: how it was at last */
	char step[160];
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool is_running(const json_t *operation)
{
	return strcmp(text_of(operation, "state"), "running") == 0;
}

static void show(struct following *f)
{
	const json_t *p = json_object_get(f->last, "progress");
	const char *step = text_of(p, "step"), *unit = text_of(p, "unit");

	if (!is_running(f->last))
		return;
	if (*step && strncmp(f->step, step, sizeof(f->step) - 1) != 0) {
		snprintf(f->step, sizeof(f->step), "%s", step);
		progress_step(step);
	}
	if (*unit)
		progress_at(unit, (uint64_t)json_integer_value(json_object_get(p, "done")),
			(uint64_t)json_integer_value(json_object_get(p, "total")));
}

static int hear(void *arg, const char *data)
{
	struct following *f = arg;
	json_t *now = NULL;

	if (!data || jsonx_parse_object(data, strlen(data), 16, &now, NULL) < 0)
		return 0;
	json_decref(f->last);
	f->last = now;
	show(f);
	return 0;
}

int operation_path(struct buf *out, const char *id, struct err *err)
{
	out->len = 0;
	if (!*id || strlen(id) > ID_MAX_BYTES || id[strspn(id, "0123456789abcdef-")])
		return err_set(err, ENOENT, "there is no such task (see: uigniter task ls)");
	return buf_printf(out, "/operation/%s", id) < 0 ? err_set(err, ENOMEM, "out of memory") : 0;
}

/* What it failed with, as -errno with the sentence; 0: it has not. */
static int failure_of(const json_t *operation, struct err *err)
{
	const json_t *error = json_object_get(operation, "error");

	if (!json_is_object(error))
		return 0;
	return api_problem((int)json_integer_value(json_object_get(error, "status")), error, err);
}

int operation_await(struct api *api, json_t *operation, json_t **result, struct err *err)
{
	struct following f = {.last = json_incref(operation)};
	struct buf path _cleanup_buf_ = {0};
	struct sse sse;
	int rc = operation_path(&path, text_of(operation, "id"), err);

	sse_init(&sse, hear, &f);
	while (!rc && is_running(f.last))
		rc = api_call(api,
			&(struct api_request){.path = path.data,
				.header = {"Accept: text/event-stream"},
				.on_data = sse_data,
				.arg = &sse},
			NULL, err);
	sse_fini(&sse);
	if (!rc)
		rc = failure_of(f.last, err);
	if (!rc && result) {
		json_t *made = json_object_get(f.last, "result");

		*result = json_is_object(made) ? json_incref(made) : NULL;
	}
	json_decref(f.last);
	return rc;
}
