/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to PostgreSQL through libpq: prepared statements, each with a limit of time (a server that hangs must not hang the
 * loop for longer than PG_CALL_MS), made again when it broke, at most once in PG_RETRY_MS.
 *
 *   AWAY --pg_up()--> UP --error of a statement--> FAILED (transaction) --rollback--> UP
 *     ^                |                              |
 *     +--- connection lost, time is up ---------------+
 */
#ifndef SERVICES_DB_POSTGRES_CONN_H
#define SERVICES_DB_POSTGRES_CONN_H

#include "services/db/backend.h"

#include <libpq-fe.h>

#define PG_CALL_MS    10000
#define PG_CONNECT_MS 3000
#define PG_RETRY_MS   1000
#define PG_PARAMS_MAX 10

struct pg {
	char *conninfo; /* owned */
	struct backend_watch watch;
	PGconn *conn;           /* NULL: away */
	bool away;              /* and that has been logged */
	int64_t retry_ns;       /* no new connection before */
	char error[200];        /* the last one */
	const char *setup;      /* borrowed: statements that a new connection begins with */
	const char *const *sql; /* borrowed: count statements, prepared by their number */
	int count;
};

/* Values of $1, $2, ... in the order in which they are added. Text is borrowed. */
struct pg_params {
	int n;
	const char *value[PG_PARAMS_MAX];
	char number[PG_PARAMS_MAX][24];
};

void pg_int(struct pg_params *p, int64_t value);
void pg_text(struct pg_params *p, const char *value); /* "" is NULL */

/* Connects when it has to. 0, -EAGAIN: away, -EIO: it refuses. */
int pg_up(struct pg *pg);
void pg_down(struct pg *pg); /* closes; NULL connection is fine */

/* Runs a prepared statement. 0 (*out, when asked for, is to be PQclear()ed), -EAGAIN or -EIO. */
int pg_run(struct pg *pg, int statement, const struct pg_params *p, PGresult **out);
/* Runs statements without parameters or rows. */
int pg_exec(struct pg *pg, const char *text);

int64_t pg_column_int(const PGresult *r, int row, int column);
void pg_column_text(const PGresult *r, int row, int column, char *out, size_t size);

#endif
