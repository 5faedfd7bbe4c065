/* SPDX-License-Identifier: Apache-2.0 */
#include "services/db/postgres_conn.h"

#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

void pg_int(struct pg_params *p, int64_t value)
{
	snprintf(p->number[p->n], sizeof(p->number[0]), "%" PRId64, value);
	p->value[p->n] = p->number[p->n];
	p->n++;
}

void pg_text(struct pg_params *p, const char *value)
{
	p->value[p->n++] = value[0] ? value : NULL;
}

int64_t pg_column_int(const PGresult *r, int row, int column)
{
	return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

void pg_column_text(const PGresult *r, int row, int column, char *out, size_t size)
{
	snprintf(out, size, "%s", PQgetvalue(r, row, column));
}

/* --- errors ---------------------------------------------------------------------------------------------------------- */
/* libpq's sentences have several lines. */
static void keep_error(struct pg *pg, const char *text)
{
	snprintf(pg->error, sizeof(pg->error), "%s", text);
	for (char *c = pg->error; *c; c++) {
		if (*c == '\n')
			*c = c[1] ? ' ' : '\0';
	}
}

void pg_down(struct pg *pg)
{
	if (!pg->conn)
		return;
	if (pg->watch.fn)
		pg->watch.fn(pg->watch.arg, -1);
	PQfinish(pg->conn);
	pg->conn = NULL;
	pg->retry_ns = loop_now_ns() + PG_RETRY_MS * NS_PER_MS;
}

/* The connection is of no use any more. */
static int lost(struct pg *pg, const char *why)
{
	keep_error(pg, why);
	if (!pg->away)
		log_error("the database is away", "text=\"%s\"", pg->error);
	pg->away = true;
	pg_down(pg);
	return -EAGAIN;
}

/* Classes of SQLSTATE that say "later": rollback of a deadlock, no resources, locks, shutting down. */
static int code_of(const char *state)
{
	static const char *const later[] = {"40", "53", "55", "57"};

	if (state && strncmp(state, "53100", 5) == 0)
		return -ENOSPC; /* disk full */
	for (size_t i = 0; state && i < ARRAY_SIZE(later); i++) {
		if (strncmp(state, later[i], 2) == 0)
			return -EAGAIN;
	}
	return -EIO;
}

/* --- waiting --------------------------------------------------------------------------------------------------------- */
/* 0, or -ETIMEDOUT. */
static int wait_for(int fd, short events, int64_t deadline_ns)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int64_t left = (deadline_ns - loop_now_ns()) / NS_PER_MS;
		int n;

		if (left <= 0)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

/* The results of what was sent: the last one, or the first that is an error. */
static int collect(struct pg *pg, PGresult **out)
{
	int64_t deadline = loop_now_ns() + PG_CALL_MS * NS_PER_MS;
	PGresult *r, *last = NULL;
	ExecStatusType status;
	int code;

	do {
		while (PQisBusy(pg->conn)) {
			if (wait_for(PQsocket(pg->conn), POLLIN, deadline) < 0) {
				PQclear(last);
				return lost(pg, "no answer in time");
			}
			if (!PQconsumeInput(pg->conn)) {
				PQclear(last);
				return lost(pg, PQerrorMessage(pg->conn));
			}
		}
		r = PQgetResult(pg->conn);
		if (r && last && PQresultStatus(last) == PGRES_FATAL_ERROR)
			PQclear(r);
		else if (r) {
			PQclear(last);
			last = r;
		}
	} while (r);
	status = PQresultStatus(last); /* of NULL: a fatal error */
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
		if (out)
			*out = last;
		else
			PQclear(last);
		return 0;
	}
	keep_error(pg, last ? PQresultErrorMessage(last) : PQerrorMessage(pg->conn));
	code = code_of(PQresultErrorField(last, PG_DIAG_SQLSTATE));
	PQclear(last);
	return PQstatus(pg->conn) == CONNECTION_OK ? code : lost(pg, pg->error);
}

int pg_exec(struct pg *pg, const char *text)
{
	if (!pg->conn)
		return -EAGAIN;
	if (!PQsendQuery(pg->conn, text))
		return lost(pg, PQerrorMessage(pg->conn));
	return collect(pg, NULL);
}

int pg_run(struct pg *pg, int statement, const struct pg_params *p, PGresult **out)
{
	char name[16];

	if (!pg->conn)
		return -EAGAIN;
	snprintf(name, sizeof(name), "s%d", statement);
	if (!PQsendQueryPrepared(pg->conn, name, p ? p->n : 0, p ? p->value : NULL, NULL, NULL, 0))
		return lost(pg, PQerrorMessage(pg->conn));
	return collect(pg, out);
}

/* --- connecting ------------------------------------------------------------------------------------------------------ */
static int connect_in_time(struct pg *pg)
{
	int64_t deadline = loop_now_ns() + PG_CONNECT_MS * NS_PER_MS;
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;

	pg->conn = PQconnectStart(pg->conninfo);
	if (!pg->conn)
		return -ENOMEM;
	if (PQstatus(pg->conn) == CONNECTION_BAD)
		return lost(pg, PQerrorMessage(pg->conn));
	while (next != PGRES_POLLING_OK) {
		short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;

		if (next == PGRES_POLLING_FAILED)
			return lost(pg, PQerrorMessage(pg->conn));
		if (wait_for(PQsocket(pg->conn), events, deadline) < 0)
			return lost(pg, "no connection in time");
		next = PQconnectPoll(pg->conn);
	}
	return 0;
}

static int prepare(struct pg *pg)
{
	for (int i = 0; i < pg->count; i++) {
		char name[16];
		int r;

		snprintf(name, sizeof(name), "s%d", i);
		if (!PQsendPrepare(pg->conn, name, pg->sql[i], 0, NULL))
			return lost(pg, PQerrorMessage(pg->conn));
		r = collect(pg, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Notices ("relation exists, skipping") say nothing here. */
static void no_notice(void *arg, const PGresult *r)
{
	(void)arg;
	(void)r;
}

int pg_up(struct pg *pg)
{
	int r;

	if (pg->conn)
		return 0;
	if (loop_now_ns() < pg->retry_ns)
		return -EAGAIN;
	pg->retry_ns = loop_now_ns() + PG_RETRY_MS * NS_PER_MS;
	r = connect_in_time(pg);
	if (r < 0)
		return r;
	PQsetNoticeReceiver(pg->conn, no_notice, NULL);
	r = pg_exec(pg, pg->setup) ?: prepare(pg);
	if (r < 0) {
		pg_down(pg);
		return r;
	}
	pg->away = false;
	log_info("the database is there", "host=%s", PQhost(pg->conn));
	if (pg->watch.fn)
		pg->watch.fn(pg->watch.arg, PQsocket(pg->conn));
	return 0;
}
