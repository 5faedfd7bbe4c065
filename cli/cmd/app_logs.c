/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uigniter app logs: the consoles of an application's instances, each line behind its instance's name. Followed, they are read beside each other
 * and come line by line, as they are written.
 */
#include "cli/app/app.h"

#include "lib/loop.h"

#include <errno.h>
#include <string.h>

#define INSTANCES_MAX  256
#define LINE_MAX_BYTES 65536 /* a longer one is cut into several */

struct console {
	struct app_logs *logs;
	const char *name; /* borrowed of the application */
	struct buf line;  /* what has come of one that has no end yet */
};

struct app_logs {
	struct api *api;
	int width;
	unsigned open;
	int rc;
	struct err err;
	struct console consoles[INSTANCES_MAX];
	unsigned n;
};

static int print_line(struct console *c, size_t len)
{
	int n = printf("%-*s | ", c->logs->width, c->name);

	if (n < 0 || fwrite(c->line.data, 1, len, stdout) != len || putchar('\n') == EOF)
		return -EIO;
	return 0;
}

static int print_lines(struct console *c)
{
	int rc = 0;

	while (!rc && c->line.len) {
		const char *end = memchr(c->line.data, '\n', c->line.len);
		size_t len = end ? (size_t)(end - c->line.data) : c->line.len;

		if (!end && len < LINE_MAX_BYTES)
			break;
		rc = print_line(c, len);
		buf_consume(&c->line, end ? len + 1 : len);
	}
	return rc ? rc : fflush(stdout) ? -EIO : 0;
}

static int on_data(void *arg, const void *data, size_t len)
{
	struct console *c = arg;
	int rc = buf_add(&c->line, data, len);

	return rc ? rc : print_lines(c);
}

/* One that has been removed meanwhile has nothing to show. */
static void done(void *arg, int rc, json_t *answer, const struct err *err)
{
	struct console *c = arg;

	(void)answer;
	if (c->line.len && !print_line(c, c->line.len))
		fflush(stdout);
	if (rc && rc != -ENOENT && !c->logs->rc) {
		c->logs->rc = rc;
		c->logs->err = *err;
	}
	if (--c->logs->open == 0)
		loop_stop(api_loop(c->logs->api), 0);
}

static bool is_wanted(const struct args *args, const char *service)
{
	for (size_t i = 1; i < args_operands(args); i++) {
		if (strcmp(args_operand(args, i), service) == 0)
			return true;
	}
	return args_operands(args) == 1;
}

static void choose(struct app_logs *l, const struct args *args, const json_t *app)
{
	const json_t *services = json_object_get(app, "services");

	for (size_t s = 0; s < json_array_size(services); s++) {
		const json_t *service = json_array_get(services, s);
		const json_t *instances = json_object_get(service, "instances");
		const char *of = json_string_value(json_object_get(service, "name"));

		for (size_t i = 0; i < json_array_size(instances) && l->n < INSTANCES_MAX; i++) {
			const json_t *instance = json_array_get(instances, i);
			const char *name = json_string_value(json_object_get(instance, "name"));

			if (!of || !name || !is_wanted(args, of))
				continue;
			l->consoles[l->n++] = (struct console){.logs = l, .name = name};
			l->width = (int)strlen(name) > l->width ? (int)strlen(name) : l->width;
		}
	}
}

static int begin(struct app_logs *l, const struct args *args, struct console *c)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = api_vm_path(&path, c->name, "/logs?follow=", &l->err);

	rc = rc ? rc : buf_addstr(&path, args_has(args, "follow") ? "true" : "false");
	if (!rc && args_has(args, "tail"))
		rc = buf_printf(&path, "&tail=%lld", (long long)args_count(args, "tail", 0));
	rc = rc ? rc
		: api_start(l->api,
			  &(struct api_request){
				  .path = path.data, .on_data = on_data, .done = done, .arg = c},
			  &l->err);
	l->open += !rc;
	return rc;
}

/* Beside each other when they are followed, else one behind the other. */
static int show(struct app_logs *l, const struct args *args)
{
	int rc = 0;

	for (unsigned i = 0; i < l->n && !rc; i++) {
		rc = begin(l, args, &l->consoles[i]);
		if (!rc && !args_has(args, "follow"))
			rc = loop_run(api_loop(l->api));
	}
	if (!rc && l->open)
		rc = loop_run(api_loop(l->api));
	return rc ? rc : l->rc;
}

static int services_exist(const struct args *args, const json_t *app)
{
	const json_t *services = json_object_get(app, "services");

	for (size_t i = 1; i < args_operands(args); i++) {
		bool found = false;

		for (size_t s = 0; s < json_array_size(services) && !found; s++) {
			const json_t *service = json_array_get(services, s);
			const char *name = json_string_value(json_object_get(service, "name"));

			found = name && strcmp(name, args_operand(args, i)) == 0;
		}
		if (!found)
			return complain(EXIT_NO_OBJECT, "the application has no service \"%s\"",
				args_operand(args, i));
	}
	return EXIT_OK;
}

int cmd_app_logs(const struct invocation *inv)
{
	struct app_logs *l _cleanup_free_ = calloc(1, sizeof(*l));
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *app _cleanup_json_ = NULL;
	char *name _cleanup_free_ = NULL;
	struct err err = {0};
	int rc = l ? 0 : -ENOMEM, status;

	if (verb_open(inv, &api))
		return EXIT_USAGE;
	rc = rc ? rc : app_operand(args_operand(inv->args, 0), &name, &err);
	rc = rc ? rc : app_get(api, name, &app, &err);
	if (rc)
		return complain(exit_status_of(rc),
			"cannot show the logs of application \"%s\": %s",
			args_operand(inv->args, 0), err.msg);
	status = services_exist(inv->args, app);
	if (status != EXIT_OK)
		return status;
	l->api = api;
	choose(l, inv->args, app);
	rc = show(l, inv->args);
	for (unsigned i = 0; i < l->n; i++)
		buf_fini(&l->consoles[i].line);
	return rc ? complain(exit_status_of(rc), "cannot show the logs of application \"%s\": %s",
			    name, l->err.msg)
		  : EXIT_OK;
}
