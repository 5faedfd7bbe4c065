/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uigniter run. Detached it prints the new instance's id. In the foreground:
 *
 *   POST /vm/run (--wait: run_start.h) -> GET logs?follow to stdout -> (log ends) -> GET wait -> exit status -> DELETE with --rm
 *
 * Signals are taken by the loop from the start on, so that an instance that is just being made is not left behind: the
 * first asks it to stop, the second kills it. The exit status is the program's own; 125 says that uigniter failed.
 */
#include "cli/run_request.h"
#include "cli/run_start.h"
#include "cli/verb.h"

#include "lib/loop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define WAIT_SECONDS "60"

struct foreground {
	const struct invocation *inv;
	struct api *api;
	char *id; /* owned; NULL until it runs */
	int signals;
	int log_rc;
	struct err log_err;
};

/* --- signals --------------------------------------------------------------------------------------------------- */
static void on_ended_call(void *arg, int rc, json_t *answer, const struct err *err)
{
	const struct foreground *f = arg;

	if (rc && rc != -ENOENT)
		complain(0, "cannot stop \"%s\": %s", f->id, err->msg);
}

static void end_instance(struct foreground *f, const char *how)
{
	struct buf path _cleanup_buf_ = {0};
	struct err err = {0};

	if (api_vm_path(&path, f->id, how, &err) ||
		api_start(f->api,
			&(struct api_request){.method = "POST",
				.path = path.data,
				.done = on_ended_call,
				.arg = f},
			&err))
		complain(0, "cannot stop \"%s\": %s", f->id, err.msg);
}

static void on_signal(void *arg, int signo)
{
	struct foreground *f = arg;

	f->signals++;
	if (f->id)
		end_instance(f, f->signals == 1 ? "/stop" : "/kill");
}

/* --- making it ------------------------------------------------------------------------------------------------- */
static void made(void *arg, const char *id)
{
	struct foreground *f = arg;

	f->id = strdup(id);
	if (f->id && f->signals)
		end_instance(f, "/stop");
}

/* With --wait step by step; else the manager answers when it is started. f: NULL when detached. */
static int make(const struct invocation *inv, struct api *api, struct foreground *f, json_t *body,
	json_t **vm, struct err *err)
{
	int rc;

	if (args_has(inv->args, "wait") && strcmp(args_text(inv->args, "wait"), "none") != 0)
		return run_start(&(struct run_start){.args = inv->args,
					 .api = api,
					 .body = body,
					 .made = f ? made : NULL,
					 .arg = f},
			vm, err);
	rc = api_call(api, &(struct api_request){.method = "POST", .path = "/vm/run", .body = body},
		vm, err);
	if (!rc && !json_is_string(json_object_get(*vm, "id")))
		return err_set(err, EIO, "the manager's answer has no id");
	return rc;
}

/* --- console --------------------------------------------------------------------------------------------------- */
static int on_console(void *arg, const void *data, size_t len)
{
	return fwrite(data, 1, len, stdout) == len && !fflush(stdout) ? 0 : -EIO;
}

static void on_console_end(void *arg, int rc, json_t *answer, const struct err *err)
{
	struct foreground *f = arg;

	f->log_rc = rc;
	f->log_err = *err;
	loop_stop(api_loop(f->api), 0);
}

static int show_console(struct foreground *f, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = api_vm_path(&path, f->id, "/logs?follow=true", err);

	if (!rc)
		rc = api_start(f->api,
			&(struct api_request){.path = path.data,
				.on_data = on_console,
				.done = on_console_end,
				.arg = f},
			err);
	if (!rc)
		rc = loop_run(api_loop(f->api));
	if (!rc && f->log_rc) {
		*err = f->log_err;
		rc = f->log_rc;
	}
	return rc;
}

/* --- end ------------------------------------------------------------------------------------------------------- */
static int wait_end(struct foreground *f, json_t **result, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = api_vm_path(&path, f->id, "/wait?state=ended&timeout=" WAIT_SECONDS, err);

	while (!rc) {
		json_t *answer _cleanup_json_ = NULL;

		rc = api_call(f->api, &(struct api_request){.path = path.data}, &answer, err);
		if (rc || !json_is_true(json_object_get(answer, "reached")))
			continue;
		*result = steal_ptr(&answer);
		return 0;
	}
	return rc;
}

static int status_of(const struct foreground *f, const json_t *result)
{
	const json_t *code = json_object_get(result, "exit_code");
	const char *state = json_string_value(json_object_get(result, "state"));
	const char *reason = json_string_value(json_object_get(result, "reason"));

	if (state && strcmp(state, "stopped") != 0)
		complain(0, "instance \"%s\" %s: %s", f->id, state,
			reason ? reason : "no reason is known");
	if (!json_is_integer(code))
		return EXIT_RUN_FAILED;
	return (int)(json_integer_value(code) & 0xff);
}

static void remove_instance(struct foreground *f)
{
	struct buf path _cleanup_buf_ = {0};
	struct err err = {0};
	int rc = api_vm_path(&path, f->id, "?force=true", &err);

	if (!rc)
		rc = api_call(f->api, &(struct api_request){.method = "DELETE", .path = path.data},
			NULL, &err);
	if (rc && rc != -ENOENT)
		complain(0, "cannot remove \"%s\": %s", f->id, err.msg);
}

static int follow(struct foreground *f)
{
	json_t *result _cleanup_json_ = NULL;
	struct err err = {0};
	int status = EXIT_RUN_FAILED;

	if (show_console(f, &err) || wait_end(f, &result, &err))
		complain(0, "lost sight of instance \"%s\": %s", f->id, err.msg);
	else
		status = status_of(f, result);
	if (args_has(f->inv->args, "rm"))
		remove_instance(f);
	return status;
}

/* The manager could not run it. A record that it kept is named by the problem: its exit code tells 126 from 127. */
static int failed_start(struct foreground *f, const json_t *problem, const struct err *err)
{
	const char *id = json_string_value(json_object_get(problem, "vm_id"));
	json_t *vm _cleanup_json_ = NULL;
	struct buf path _cleanup_buf_ = {0};
	int64_t code = EXIT_RUN_FAILED;

	complain(0, "cannot run \"%s\": %s", run_subject(f->inv->args), err->msg);
	if (!f->id && id)
		f->id = strdup(id);
	if (!f->id)
		return EXIT_RUN_FAILED;
	if (!api_vm_path(&path, f->id, "", NULL) &&
		!api_call(f->api, &(struct api_request){.path = path.data}, &vm, NULL))
		jsonx_opt_int(vm, "exit_code", EXIT_CANNOT_EXEC, EXIT_NO_PROGRAM, &code, NULL);
	if (args_has(f->inv->args, "rm"))
		remove_instance(f);
	return (int)code;
}

/* On stderr: since the request, and since the step before. */
static void show_timing(const struct invocation *inv, const json_t *vm)
{
	const json_t *steps = json_object_get(vm, "timing"), *step;
	double before = 0;
	size_t n;

	if (!args_has(inv->args, "timing"))
		return;
	json_array_foreach(steps, n, step)
	{
		const char *name = json_string_value(json_object_get(step, "step"));
		const char *by = json_string_value(json_object_get(step, "by"));
		const json_t *exits = json_object_get(step, "exits");
		double us = json_number_value(json_object_get(step, "us"));

		fprintf(stderr, "%-8s %-18s %10.1f us  +%.1f", by ? by : "", name ? name : "", us,
			us - before);
		if (json_is_integer(exits))
			fprintf(stderr, "  (%lld exits of the guest so far)",
				(long long)json_integer_value(exits));
		fputc('\n', stderr);
		before = us;
	}
	if (json_is_true(json_object_get(vm, "cloned")))
		fprintf(stderr, "cloned\n");
}

static int run_foreground(struct api *api, const struct invocation *inv, json_t *body)
{
	struct foreground f = {.inv = inv, .api = api};
	json_t *vm _cleanup_json_ = NULL;
	struct err err = {0};
	int status;

	if (loop_signals(api_loop(api), (const int[]){SIGINT, SIGTERM, 0}, on_signal, &f))
		return complain(EXIT_RUN_FAILED, "cannot take signals");
	if (make(inv, api, &f, body, &vm, &err)) {
		status = failed_start(&f, vm, &err);
	} else {
		show_timing(inv, vm);
		if (!f.id)
			made(&f, json_string_value(json_object_get(vm, "id")));
		status = f.id ? follow(&f) : complain(EXIT_RUN_FAILED, "out of memory");
	}
	free(f.id);
	return status;
}

static int run_detached(
	struct api *api, const struct invocation *inv, json_t *body, const struct format *f)
{
	json_t *vm _cleanup_json_ = NULL;
	struct err err = {0};
	int rc = make(inv, api, NULL, body, &vm, &err);

	if (rc)
		return complain(exit_status_of(rc), "cannot run \"%s\": %s", run_subject(inv->args),
			err.msg);
	show_timing(inv, vm);
	return verb_print_object(f, vm);
}

int cmd_run(const struct invocation *inv)
{
	struct format f = {.columns = vm_columns, .ncolumns = nvm_columns, .id_key = "id"};
	struct api *api _cleanup_(api_closep) = NULL;
	json_t *body _cleanup_json_ = NULL;
	struct err err = {0};

	if (format_init(&f, inv->args, true, &err) || run_request(inv->args, &body, &err))
		return complain(EXIT_USAGE, "%s", err.msg);
	if (!args_has(inv->args, "detach") &&
		(f.mode != FORMAT_TABLE || args_has(inv->args, "quiet")))
		return complain(EXIT_USAGE, "--format and --quiet need --detach");
	if (f.mode == FORMAT_TABLE)
		f.mode = FORMAT_IDS;
	if (verb_open(inv, &api))
		return EXIT_USAGE;
	if (!args_has(inv->args, "detach"))
		return run_foreground(api, inv, body);
	return run_detached(api, inv, body, &f);
}
