/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a manager that was killed must know again: STATE_DIR/state.db, an SQLite database with one row per instance (its
 * record as JSON, state/record.h), one per application (what is wanted of it, app/spec.h), one per function (fn/spec.h),
 * one per operation (operation.h) and one per number that goes on under the next manager (events.h). WAL with synchronous=NORMAL: a row is safe from the end of this process when a call
 * returns, and the file from that of the machine, after which no VM lives anyway. A file that can not be used is put aside
 * as state.db.unusable, and a new one made; one that can not be read now stays.
 */
#ifndef DAEMON_STATE_DB_H
#define DAEMON_STATE_DB_H

#include "lib/err.h"

#include <stddef.h>

struct state_db;

enum state_table { STATE_INSTANCE, STATE_APP, STATE_FN, STATE_OPERATION, STATE_COUNTER };

/* 0 or -errno with err: -EIO, or why the file can not be read. */
int state_db_open(const char *state_dir, struct state_db **db, struct err *err);
void state_db_close(struct state_db *db); /* NULL is fine */

/* Puts a row in, or in the place of the one of this id. 0 or -EIO with err. */
int state_db_put(struct state_db *db, enum state_table table, const char *id, const char *record,
	struct err *err);
/* 0, also when there is none; -EIO with err. */
int state_db_delete(struct state_db *db, enum state_table table, const char *id, struct err *err);

/* Rows are first written to a journal. How long that is, and taking it over into the file, which waits for the disk; 0 or -EIO with err. */
int state_db_journal_pages(const struct state_db *db);
int state_db_checkpoint(struct state_db *db, struct err *err);

/* Calls fn for each row of the table in the order in which they were put in first; fn must not change rows. 0, -EIO with err, or the first
 * value below 0 that fn returns. */
typedef int state_db_fn(void *arg, const char *id, const char *record, size_t len);
int state_db_each(
	struct state_db *db, enum state_table table, state_db_fn *fn, void *arg, struct err *err);

#endif
