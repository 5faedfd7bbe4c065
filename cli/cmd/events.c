/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter events: what happens, a line each, from the manager's stream of server-sent events. */
#include "cli/verb.h"

#include "lib/buf.h"

#include <errno.h>
#include <string.h>

#define LINE_MAX_BYTES (1 * MIB)

struct reader {
	struct buf line; /* the one that has not come to its end yet */
	bool raw;        /* JSON as it comes */
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void print_event(const struct reader *r, const char *data)
{
	json_t *event _cleanup_json_ = NULL;
	const json_t *about;
	const char *reason;

	if (r->raw) {
		puts(data);
		return;
	}
	if (jsonx_parse_object(data, strlen(data), 8, &event, NULL) < 0)
		return;
	about = json_object_get(event, "vm");
	if (!about)
		about = json_object_get(event, "image");
	if (!about)
		about = json_object_get(event, "app");
	if (!about)
		about = json_object_get(event, "fn");
	if (!about)
		about = json_object_get(event, "template");
	printf("%s  %-13s %s", text_of(event, "time"), text_of(event, "type"),
		text_of(about, "name"));
	if (*text_of(about, "id"))
		printf("  %.12s", text_of(about, "id"));
	reason = text_of(about, "reason");
	printf("%s%s\n", *reason ? "  " : "", reason);
}

static void take_line(struct reader *r)
{
	static const char data[] = "data: ", gap[] = "event: gap";
	const char *line = r->line.data ? r->line.data : "";

	if (strcmp(line, gap) == 0)
		fprintf(stderr, "uigniter: events came too fast, some are missing here\n");
	else if (strncmp(line, data, sizeof(data) - 1) == 0 && line[sizeof(data) - 1] == '{' &&
		strncmp(line + sizeof(data) - 1, "{\"lost\"", 7) != 0)
		print_event(r, line + sizeof(data) - 1);
	buf_consume(&r->line, r->line.len);
}

static int on_data(void *arg, const void *data, size_t len)
{
	const char *text = data, *end;
	struct reader *r = arg;

	while ((end = memchr(text, '\n', len))) {
		if (buf_add(&r->line, text, (size_t)(end - text)) < 0)
			return -EMSGSIZE;
		take_line(r);
		len -= (size_t)(end + 1 - text);
		text = end + 1;
	}
	if (buf_add(&r->line, text, len) < 0)
		return -EMSGSIZE;
	return fflush(stdout) == 0 ? 0 : -EIO;
}

int cmd_events(const struct invocation *inv)
{
	const char *format = args_text(inv->args, "format");
	struct api *api _cleanup_(api_closep) = NULL;
	struct buf path _cleanup_buf_ = {0};
	struct reader r = {.raw = format && strncmp(format, "json", 4) == 0};
	struct err err = {0};
	int rc;

	if (verb_open(inv, &api) < 0)
		return EXIT_USAGE;
	buf_init(&r.line, LINE_MAX_BYTES);
	rc = buf_addstr(&path, "/events");
	if (rc == 0 && args_has(inv->args, "since"))
		rc = buf_printf(&path, "?since=%lld", (long long)args_count(inv->args, "since", 0));
	if (rc == 0)
		rc = api_call(api,
			&(struct api_request){.path = path.data,
				.header = {"Accept: text/event-stream"},
				.on_data = on_data,
				.arg = &r},
			NULL, &err);
	buf_fini(&r.line);
	return rc ? complain(exit_status_of(rc), "cannot follow the events: %s", err.msg) : EXIT_OK;
}
