/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/app/app.h"

#include "cli/app/file.h"

#include "lib/loop.h"

#include <errno.h>
#include <string.h>

const struct column app_row_columns[] = {
	{"SERVICE", "service", COLUMN_TEXT},
	{"NAME", "name", COLUMN_TEXT},
	{"STATE", "state", COLUMN_TEXT},
	{"IP", "ip_address", COLUMN_TEXT},
	{"IMAGE", "image", COLUMN_TEXT},
	{"DETAIL", "detail", COLUMN_TEXT},
};
const size_t napp_row_columns = ARRAY_SIZE(app_row_columns);

int app_operand(const char *operand, char **name, struct err *err)
{
	struct app_file file;
	int rc;

	if (!strpbrk(operand, "./")) {
		if (operand[strspn(operand, "abcdefghijklmnopqrstuvwxyz0123456789-")] || !*operand)
			return err_set(
				err, ENOENT, "there is no such application (see: uigniter app ls)");
		*name = strdup(operand);
		return *name ? 0 : err_set(err, ENOMEM, "out of memory");
	}
	rc = app_file_load(operand, &file, err);
	if (rc)
		return rc;
	*name = strdup(file.name);
	app_file_fini(&file);
	return *name ? 0 : err_set(err, ENOMEM, "out of memory");
}

int app_path(struct buf *out, const char *name, const char *suffix)
{
	out->len = 0;
	return buf_printf(out, "/app/%s%s", name, suffix);
}

int app_get(struct api *api, const char *name, json_t **app, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = app_path(&path, name, "");

	return rc ? err_sys(err, -rc, "application")
		  : api_call(api, &(struct api_request){.path = path.data}, app, err);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* --- waiting ----------------------------------------------------------------------------------------------------- */
static void complain_of(const char *app, const json_t *service)
{
	const char *state = text_of(service, "state"), *reason = text_of(service, "reason"),
		   *name = text_of(service, "name");
	json_t *waits = json_object_get(service, "waits_for");

	if (strcmp(state, "ready") == 0)
		return;
	if (strcmp(state, "waiting") == 0)
		complain(0, "service %s of %s waits for %s", name, app,
			json_string_value(json_array_get(waits, 0)) ?: "another");
	else
		complain(0, "service %s of %s is %s%s%s (see: uigniter app logs %s %s)", name, app,
			state, *reason ? ": " : "", reason, app, name);
}

static int say_why(const char *name, const json_t *app, int status)
{
	const json_t *services = json_object_get(app, "services");

	if (!json_is_object(app))
		return complain(EXIT_NO_OBJECT, "application \"%s\" has been removed", name);
	for (size_t i = 0; i < json_array_size(services); i++)
		complain_of(name, json_array_get(services, i));
	return status == EXIT_TIMEOUT
		? complain(status, "application \"%s\" was not ready in time", name)
		: complain(status, "application \"%s\" is %s", name, text_of(app, "state"));
}

/* One long poll. reached, or what was last is in *answer. */
static int poll_once(
	struct api *api, const char *name, double seconds, json_t **answer, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = app_path(&path, name, "/wait?state=ready");

	rc = rc ? rc : buf_printf(&path, "&timeout=%.3f", seconds);
	if (rc)
		return err_sys(err, -rc, "cannot wait");
	return api_call(api, &(struct api_request){.path = path.data}, answer, err);
}

int app_wait_ready(struct api *api, const char *name, double timeout_s, json_t **app)
{
	json_t *answer _cleanup_json_ = NULL, *last;
	struct err err = {0};
	int rc = poll_once(api, name, timeout_s, &answer, &err);

	if (rc)
		return complain(exit_status_of(rc), "cannot wait for application \"%s\": %s", name,
			err.msg);
	last = json_object_get(answer, "app");
	if (!json_is_true(json_object_get(answer, "reached")))
		return say_why(name, last,
			strcmp(text_of(last, "state"), "starting") == 0 ? EXIT_TIMEOUT
									: EXIT_FAILED);
	if (app)
		*app = json_incref(last);
	return EXIT_OK;
}

/* --- tables ------------------------------------------------------------------------------------------------------ */
/* "ready" is what people ask for first, so it is a state here. */
static json_t *row_of(const json_t *service, const json_t *instance)
{
	const char *state = text_of(instance, "state");
	bool ready = json_is_true(json_object_get(instance, "ready"));
	bool outdated = json_is_true(json_object_get(instance, "outdated"));
	json_t *row = json_deep_copy(instance);

	json_object_set_new(row, "service", json_string(text_of(service, "name")));
	json_object_set_new(row, "image", json_string(text_of(service, "image")));
	json_object_set_new(row, "state",
		json_string(strcmp(state, "running") == 0 && ready ? "ready" : state));
	json_object_set_new(
		row, "detail", json_string(outdated ? "outdated" : text_of(instance, "reason")));
	return row;
}

static json_t *row_of_none(const json_t *service)
{
	json_t *waits = json_object_get(service, "waits_for");
	const char *first = json_string_value(json_array_get(waits, 0));
	char detail[320];

	snprintf(detail, sizeof(detail), "%s%s", first ? "waits for " : "",
		first ? first : text_of(service, "reason"));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "service", text_of(service, "name"),
		"name", "-", "state", text_of(service, "state"), "ip_address", "-", "image",
		text_of(service, "image"), "detail", detail);
}

json_t *app_rows(const json_t *app)
{
	const json_t *services = json_object_get(app, "services");
	json_t *rows = json_array();

	for (size_t s = 0; s < json_array_size(services); s++) {
		const json_t *service = json_array_get(services, s);
		const json_t *instances = json_object_get(service, "instances");

		for (size_t i = 0; i < json_array_size(instances); i++)
			json_array_append_new(rows, row_of(service, json_array_get(instances, i)));
		if (!json_array_size(instances))
			json_array_append_new(rows, row_of_none(service));
	}
	return rows;
}
