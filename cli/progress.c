/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include "cli/parse.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum { PROGRESS_NONE, PROGRESS_LINES, PROGRESS_TERMINAL } mode;

void progress_init(const struct args *args)
{
	const char *how = args_text(args, "progress");

	if (how && strcmp(how, "auto") != 0)
		mode = !strcmp(how, "plain") ? PROGRESS_LINES : PROGRESS_NONE;
	else
		mode = isatty(STDERR_FILENO) ? PROGRESS_TERMINAL : PROGRESS_NONE;
}

void progress_step(const char *what)
{
	if (mode == PROGRESS_LINES)
		fprintf(stderr, "uigniter: %s\n", what);
	else if (mode == PROGRESS_TERMINAL)
		fprintf(stderr, "\r\033[K%s ...", what);
}

void progress_end(void)
{
	if (mode == PROGRESS_TERMINAL)
		fprintf(stderr, "\r\033[K");
}
