/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program on this machine under ptrace, with all its threads and children, and tells which files it used: opened for
 * reading, executed, or looked at with success; and at which TCP ports it listens. x86-64 calls only.
 * Its standard output goes to standard error: ours holds data only.
 */
#ifndef CLI_TRACE_TRACER_H
#define CLI_TRACE_TRACER_H

#include "lib/err.h"

#include <stdint.h>

struct trace_events {
	/* path: absolute, without "." and "..", as the program named it; a regular file at that time. */
	void (*used)(void *arg, const char *path);
	void (*listens)(void *arg, uint16_t port);
	void *arg;
};

/*
 * Returns when the program and all that came of it has ended. program: absolute path. seconds: SIGTERM after this time, SIGKILL five seconds later; 0: never.
 * SIGINT (which the program's group gets as well) and SIGTERM ask it to end too, a second one ends it. *status: as
 * wait() has it. -errno when it cannot be run or traced.
 */
int trace_run(const char *program, const char *const argv[], unsigned int seconds,
	const struct trace_events *events, int *status, struct err *err);

#endif
