/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include "cli/parse.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum { PROGRESS_NONE, PROGRESS_LINES, PROGRESS_JSON, PROGRESS_TERMINAL } mode;
static char step[160];

void progress_init(const struct args *args)
{
	const char *how = args_text(args, "progress");

	step[0] = '\0';
	if (!how || !strcmp(how, "auto"))
		how = isatty(STDERR_FILENO) ? "tty" : "none";
	mode = !strcmp(how, "tty")      ? PROGRESS_TERMINAL
		: !strcmp(how, "plain") ? PROGRESS_LINES
		: !strcmp(how, "json")  ? PROGRESS_JSON
					: PROGRESS_NONE;
}

static void print_json(const char *unit, uint64_t done, uint64_t total)
{
	json_t *line = json_pack("{s:s, s:s?, s:I, s:o}", "step", step, "unit", unit, "done",
		(json_int_t)done, "total", total ? json_integer((json_int_t)total) : json_null());

	if (line && json_dumpf(line, stderr, JSON_COMPACT) == 0)
		fputc('\n', stderr);
	json_decref(line);
}

void progress_step(const char *what)
{
	snprintf(step, sizeof(step), "%s", what);
	if (mode == PROGRESS_LINES)
		fprintf(stderr, "uigniter: %s\n", what);
	else if (mode == PROGRESS_JSON)
		print_json(NULL, 0, 0);
	else if (mode == PROGRESS_TERMINAL)
		fprintf(stderr, "\r\033[K%s ...", what);
}

static void print_amount(const char *unit, uint64_t n)
{
	if (strcmp(unit, "bytes") == 0)
		fprintf(stderr, "%.1f MiB", (double)n / (1 << 20));
	else
		fprintf(stderr, "%llu %s", (unsigned long long)n, unit);
}

void progress_at(const char *unit, uint64_t done, uint64_t total)
{
	if (mode == PROGRESS_JSON)
		print_json(unit, done, total);
	if (mode != PROGRESS_TERMINAL)
		return;
	fprintf(stderr, "\r\033[K%s ... ", step);
	print_amount(unit, done);
	if (total)
		fprintf(stderr, " (%u%%)", (unsigned)(done < total ? done * 100 / total : 100));
}

void progress_end(void)
{
	if (mode == PROGRESS_TERMINAL)
		fprintf(stderr, "\r\033[K");
	step[0] = '\0';
}
