/* SPDX-License-Identifier: Apache-2.0 */
/* One system call of a traced thread: the path that it names, read when it enters, and what that means when it returns. */
#ifndef CLI_TRACE_CALL_H
#define CLI_TRACE_CALL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum call_kind {
	CALL_OTHER,
	CALL_OPEN,
	CALL_LOOK, /* stat, access, readlink */
	CALL_EXEC,
	CALL_LISTEN,
};

struct call {
	enum call_kind kind;
	uint64_t flags; /* CALL_OPEN: of the open; CALL_LISTEN: the descriptor */
	char path[PATH_MAX];
};

/* When thread tid enters system call nr: fills in *call; CALL_OTHER for all that names no file. */
void call_enter(pid_t tid, uint64_t nr, const uint64_t args[6], struct call *call);

/*
 * When it has returned result (>= 0): true when it used a regular file; path then is that one, PATH_MAX bytes. Files
 * that were opened to be written or made are results, not needs.
 */
bool call_used_file(pid_t tid, const struct call *call, int64_t result, char *path);

/* The port of a TCP socket of tid that listens, or 0. */
uint16_t call_listening_port(pid_t tid, int fd);

/* Drops empty parts, "." and ".." of an absolute path, in place; ".." takes the part before it, link or not. */
void path_normalise(char *path);

#endif
