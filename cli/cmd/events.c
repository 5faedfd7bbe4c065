/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter events: what happens, a line each, from the manager's stream of server-sent events. */
#include "cli/sse.h"
#include "cli/verb.h"

#include <errno.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* What it is about: the member beside id, time and type. */
static const json_t *about(const json_t *event)
{
	static const char *const kinds[] = {
		"vm", "image", "app", "fn", "template", "snapshot", "operation"};
	const json_t *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !found; i++)
		found = json_object_get(event, kinds[i]);
	return found;
}

static int print_event(void *raw, const char *data)
{
	json_t *event _cleanup_json_ = NULL;
	const json_t *what;
	const char *reason;

	if (!data) {
		fprintf(stderr,
			"uigniter: some events are missing here: they came too fast, or are of an "
			"earlier manager\n");
		return 0;
	}
	if (*(const bool *)raw) { /* JSON as it comes */
		puts(data);
		return fflush(stdout) == 0 ? 0 : -EIO;
	}
	if (jsonx_parse_object(data, strlen(data), 8, &event, NULL) < 0)
		return 0;
	what = about(event);
	printf("%s  %-13s %s", text_of(event, "time"), text_of(event, "type"),
		text_of(what, "name"));
	if (*text_of(what, "id"))
		printf("  %.12s", text_of(what, "id"));
	reason = text_of(what, "reason");
	printf("%s%s\n", *reason ? "  " : "", reason);
	return fflush(stdout) == 0 ? 0 : -EIO;
}

int cmd_events(const struct invocation *inv)
{
	const char *format = args_text(inv->args, "format");
	struct api *api _cleanup_(api_closep) = NULL;
	struct buf path _cleanup_buf_ = {0};
	bool raw = format && strncmp(format, "json", 4) == 0;
	struct sse sse;
	struct err err = {0};
	int rc;

	if (verb_open(inv, &api) < 0)
		return EXIT_USAGE;
	sse_init(&sse, print_event, &raw);
	rc = buf_addstr(&path, "/events");
	if (rc == 0 && args_has(inv->args, "since"))
		rc = buf_printf(&path, "?since=%lld", (long long)args_count(inv->args, "since", 0));
	if (rc == 0)
		rc = api_call(api,
			&(struct api_request){.path = path.data,
				.header = {"Accept: text/event-stream"},
				.on_data = sse_data,
				.arg = &sse},
			NULL, &err);
	sse_fini(&sse);
	return rc ? complain(exit_status_of(rc), "cannot follow the events: %s", err.msg) : EXIT_OK;
}
