/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uigniter wait: wait for instances. Waiting for their end prints their exit statuses, one a line. The manager's long poll is
 * asked again and again until the time is over.
 */
#include "cli/verb.h"

#include "lib/loop.h"

#include <errno.h>
#include <string.h>

#define POLL_SECONDS 60.0

static int poll_once(struct api *api, const char *name, const char *state, double seconds,
	json_t **answer, struct err *err)
{
	struct buf path _cleanup_buf_ = {0};
	int rc = api_vm_path(&path, name, "/wait", err);

	if (!rc)
		rc = buf_printf(&path, "?state=%s&timeout=%.3f", state, seconds);
	if (!rc)
		rc = api_call(api, &(struct api_request){.path = path.data}, answer, err);
	return rc;
}

static void print_result(const char *state, const json_t *answer)
{
	const json_t *code = json_object_get(answer, "exit_code");

	if (!strcmp(state, "running") || !strcmp(state, "ready"))
		return;
	if (json_is_integer(code))
		printf("%lld\n", (long long)json_integer_value(code));
	else
		printf("-\n");
	fflush(stdout);
}

static int wait_for(
	struct api *api, const struct invocation *inv, const char *name, struct err *err)
{
	const char *state = args_text(inv->args, "for");
	double limit = args_seconds(inv->args, "timeout", -1), left = POLL_SECONDS;
	int64_t begin = loop_now_ns();

	if (!state)
		state = "ended";
	for (;;) {
		json_t *answer _cleanup_json_ = NULL;
		int rc;

		if (limit >= 0)
			left = limit - (double)(loop_now_ns() - begin) / (double)NS_PER_S;
		rc = poll_once(api, name, state,
			left < 0                      ? 0
				: left > POLL_SECONDS ? POLL_SECONDS
						      : left,
			&answer, err);
		if (rc)
			return rc;
		if (json_is_true(json_object_get(answer, "reached"))) {
			print_result(state, answer);
			return 0;
		}
		if (limit >= 0 && left <= 0)
			return err_set(err, ETIMEDOUT, "not %s after %g s", state, limit);
	}
}

int cmd_wait(const struct invocation *inv)
{
	return verb_each(inv, "wait for", wait_for);
}
