/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report of a monitor of our own: a file that it replaces when a call of the program is missing, and when the VM has ended. The monitor may have
 * been taken over by its guest, so only what has the right form is taken.
 */
#include "daemon/core.h"
#include "daemon/monitor/reports.h"
#include "daemon/monitor/uvmm_impl.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define MISSING_CALLS_MAX 512
#define REPORT_MAX_BYTES  (16 * KIB)

/* The monitor's list of names, as long as it is one. Owned by the caller; NULL: none. */
static json_t *take_missing(const json_t *list)
{
	json_t *taken = json_array(), *name;
	size_t n;

	json_array_foreach(list, n, name)
	{
		if (n < MISSING_CALLS_MAX && json_is_string(name))
			json_array_append(taken, name);
	}
	return taken;
}

/* The last line of the report: a monitor that is ended by SIGBUS adds one to what it wrote while the VM ran. *root is the caller's. */
static int parse_report(struct shell *s, json_t **root)
{
	const struct uvmm *u = s->priv;
	_cleanup_close_ int fd = open(u->report, O_RDONLY | O_CLOEXEC);
	char text[REPORT_MAX_BYTES];
	const char *before;
	size_t at = 0;
	ssize_t n;
	int r;

	n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (n <= 0)
		return -ENOENT;
	before = n > 1 ? memrchr(text, '\n', (size_t)n - 1) : NULL;
	if (before)
		at = (size_t)(before + 1 - text);
	r = jsonx_parse_object(text + at, (size_t)n - at, 8, root, NULL);
	if (r < 0)
		return r;
	json_decref(s->missing_calls);
	s->missing_calls = take_missing(json_object_get(*root, "missing_calls"));
	return 0;
}

/* The monitor writes a report whenever a call is missing; when it is just being written, what was read before stands. */
static void look(void *arg)
{
	_cleanup_json_ json_t *root = NULL;

	parse_report(arg, &root);
}

/* When it can not be watched nobody is told before the end, whose report is read in any case. */
void uvmm_watch_report(struct shell *s, bool written)
{
	struct uvmm *u = s->priv;

	report_watch(s->core->reports, u->report, look, s, &u->watch);
	if (written)
		look(s);
}

static const struct {
	const char *reason;
	enum shell_end end;
	const char *text; /* for people */
	bool with_code;
} ends[] = {
	{"exit", SHELL_END_EXIT, "the program ended with status", true},
	{"poweroff", SHELL_END_EXIT, "the VM powered off", false},
	{"signal", SHELL_END_SIGNAL, "the program was ended by signal", true},
	{"noexec", SHELL_END_NOEXEC, "the program could not be started", false},
	{"panic", SHELL_END_CRASH, "the libOS panicked", false},
	{"triple_fault", SHELL_END_CRASH, "the VM ended by a triple fault", false},
	{"killed", SHELL_END_CRASH, "the VM was killed", false},
	{"error", SHELL_END_CRASH, "the monitor failed", false},
};

static void set_reason(struct shell_exit *e, const char *text, bool with_code, const char *detail)
{
	char code[16] = "";

	if (with_code)
		snprintf(code, sizeof(code), " %d", e->code);
	snprintf(e->reason, sizeof(e->reason), "%s%s%s%s", text, code,
		detail && *detail ? ": " : "", detail ? detail : "");
}

int uvmm_read_report(struct shell *s)
{
	_cleanup_json_ json_t *root = NULL;
	struct shell_exit *e = &s->exit;
	const char *reason, *detail;
	int r;

	r = parse_report(s, &root);
	if (r < 0)
		return r;
	reason = json_string_value(json_object_get(root, "reason"));
	detail = json_string_value(json_object_get(root, "detail"));
	for (size_t i = 0; reason && i < ARRAY_SIZE(ends); i++) {
		if (strcmp(ends[i].reason, reason) != 0)
			continue;
		e->end = ends[i].end;
		e->code = (int)json_integer_value(json_object_get(
			root, ends[i].end == SHELL_END_SIGNAL ? "signal" : "exit_code"));
		if (e->end == SHELL_END_NOEXEC)
			e->code =
				e->code == 127 ? ENOENT : ENOEXEC; /* an errno, as of the others */
		set_reason(e, ends[i].text, ends[i].with_code,
			ends[i].end == SHELL_END_EXIT ? NULL : detail);
		return 0;
	}
	return -EINVAL;
}
