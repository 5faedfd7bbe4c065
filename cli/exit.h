/* SPDX-License-Identifier: Apache-2.0 */
/* Exit statuses of uigniter, and how an error of the API becomes one. A foreground run passes the program's own on. */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_OBJECT = 3,
	EXIT_CONFLICT = 4,
	EXIT_NO_MANAGER = 5,
	EXIT_TIMEOUT = 124,
	EXIT_RUN_FAILED = 125,  /* run in the foreground: uigniter or its manager failed */
	EXIT_CANNOT_EXEC = 126, /* run in the foreground: the program cannot be executed */
	EXIT_NO_PROGRAM = 127,  /* run in the foreground: there is no such program */
};

/* Exit status for what a call of cli/api.h returned (0 or -errno). */
int exit_status_of(int rc);

/* Prints "uigniter: SENTENCE" as one line on stderr: control characters become blanks. Returns status. */
int complain(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
