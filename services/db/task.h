/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task, as rules (queue.c) and backends (sqlite.c, postgres.c) pass it to each other. Times are ms since the epoch.
 *
 * What due means depends on the state: created: when it is an orphan; ready: -priority, so that the order (due, id) is the
 * order of service; leased: the end of the lease; delayed: when it is ready again; finished: when it may be
 * deleted; dead: when it died.
 */
#ifndef SERVICES_DB_TASK_H
#define SERVICES_DB_TASK_H

#include <stdint.h>

enum task_state {
	TASK_CREATED = -1, /* numbers of the wire up to here .. */
	TASK_READY = 0,
	TASK_LEASED = 1,
	TASK_FINISHED = 2, /* .. and here */
	TASK_DEAD = 3,
	TASK_DELAYED = 4, /* shown as ready */
};
#define TASK_STATES 6 /* index of counts: state + 1 */

#define TOKEN_BYTES  33 /* 128 random bits in hexadecimal */
#define WORKER_BYTES 64
#define REASON_BYTES 200
#define PARAMS_BYTES 201
#define KEY_BYTES    65
#define PRIORITY_MAX 9

/* Strings are printable ASCII, "" for none. */
struct task {
	int64_t id, due_ms, since_ms; /* since: when it came into its state */
	int64_t attempts, priority;
	int64_t start_ms; /* not ready before; 0: at once */
	enum task_state state;
	char token[TOKEN_BYTES], worker[WORKER_BYTES], reason[REASON_BYTES];
	char key[KEY_BYTES], params[PARAMS_BYTES];
};

#endif
