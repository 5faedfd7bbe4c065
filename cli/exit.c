/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as one line on stderr, and the exit status that goes with them. */
#include "cli/exit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int exit_status_of(int rc)
{
	switch (rc) {
	case 0:
		return EXIT_OK;
	case -ENOENT:
		return EXIT_NO_OBJECT;
	case -EEXIST:
		return EXIT_CONFLICT;
	case -ECONNREFUSED:
		return EXIT_NO_MANAGER;
	case -ETIMEDOUT:
		return EXIT_TIMEOUT;
	}
	return EXIT_FAILED;
}

int complain(int status, const char *fmt, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	fprintf(stderr, "uigniter: %s\n", line);
	return status;
}
