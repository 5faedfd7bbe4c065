/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/monitor/trace.h"

#include "daemon/monitor/monitor.h"
#include "lib/loop.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static bool is_word(const char *s)
{
	size_t n = 0;

	for (; s && s[n]; n++) {
		if (s[n] < ' ' || s[n] > '~' || n == TRACE_NAME_MAX_BYTES)
			return false;
	}
	return n > 0;
}

/* A copy of the step, new reference; NULL: not one. */
static json_t *copy_step(const json_t *step)
{
	const char *name = json_string_value(json_object_get(step, "step"));
	const char *by = json_string_value(json_object_get(step, "by"));
	const json_t *exits = json_object_get(step, "exits");
	double us = json_number_value(json_object_get(step, "us"));

	if (!is_word(name) || !is_word(by) || !isfinite(us) || us < 0)
		return NULL;
	return json_pack("{s:s, s:s, s:f, s:o*}", "step", name, "by", by, "us", us, "exits",
		json_is_integer(exits) ? json_integer(json_integer_value(exits)) : NULL);
}

void trace_take(struct shell *shell, const json_t *status)
{
	const json_t *steps = json_object_get(status, "steps"), *step;
	json_int_t port = json_integer_value(json_object_get(status, "listen_port"));
	size_t n;

	shell->listens = json_is_true(json_object_get(status, "reached"));
	shell->listen_port = port > 0 && port <= UINT16_MAX ? (uint16_t)port : 0;
	shell->trace_ns = json_integer_value(json_object_get(status, "request_ns"));
	json_decref(shell->trace);
	shell->trace = NULL;
	if (shell->trace_ns <= 0 || shell->trace_ns > loop_now_ns())
		return;
	shell->trace = json_array();
	json_array_foreach(steps, n, step)
	{
		json_t *copy = n < TRACE_STEPS_MAX ? copy_step(step) : NULL;

		if (copy)
			json_array_append_new(shell->trace, copy);
	}
}
