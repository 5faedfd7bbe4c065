/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/monitor/exit_line.h"

#include "daemon/console.h"
#include "daemon/monitor/monitor.h"
#include "lib/loop.h"

#include <string.h>
#include <sys/wait.h>

#define EXIT_LINE "uigniter-exit "

/* By enum uig_exit_kind of the libOS. */
static const struct {
	enum shell_end end;
	const char *text;
} kinds[] = {
	{SHELL_END_EXIT, "the program ended with status"},
	{SHELL_END_SIGNAL, "the program was ended by signal"},
	{SHELL_END_CRASH, "the libOS panicked: code"},
	{SHELL_END_NOEXEC, "the program could not be started: error"},
};

/* The exit line: the last one of the console, or its end where the program's output did not end a line. NULL: there is none. */
static const char *exit_line(const char *line)
{
	const char *found = NULL;

	for (const char *at = line; (at = strstr(at, EXIT_LINE)); at++)
		found = at;
	return found;
}

void exit_line_take(struct shell *s, const char *who, int how, int status)
{
	const char *line = exit_line(console_last_line(s->console));
	struct shell_exit *e = &s->exit;
	unsigned kind, code;

	if (how != LOOP_NOT_CHILD && (how != CLD_EXITED || status != 0)) {
		shell_exit_from_process(s, who, how, status);
		e->end = SHELL_END_CRASH;
		return;
	}
	if (!line || sscanf(line, EXIT_LINE "kind=%u code=%u", &kind, &code) != 2 ||
		kind >= ARRAY_SIZE(kinds)) {
		e->end = SHELL_END_CRASH;
		snprintf(e->reason, sizeof(e->reason), "the VM ended without an exit line");
		return;
	}
	e->end = kinds[kind].end;
	e->code = (int)code;
	snprintf(e->reason, sizeof(e->reason), "%s %u", kinds[kind].text, code);
}
