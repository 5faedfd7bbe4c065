/* SPDX-License-Identifier: Apache-2.0 */
/* Between sqlite.c (statements) and sqlite_open.c (the file, its settings and its schema). */
#ifndef SERVICES_DB_SQLITE_IMPL_H
#define SERVICES_DB_SQLITE_IMPL_H

#include "services/db/backend.h"

#include <sqlite3.h>

enum statement {
	ST_BEGIN,
	ST_COMMIT,
	ST_ROLLBACK,
	ST_INSERT,
	ST_LOAD,
	ST_FIND,
	ST_STORE,
	ST_TAKE,
	ST_DUE,
	ST_NEXT_DUE,
	ST_PURGE,
	ST_CLIP,
	ST_DEAD,
	ST_DEAD_RETRY,
	ST_DEAD_DELETE,
	ST_OLDEST,
	ST_COUNT,
	ST_NEXT_ID,
	ST_META,
	ST_SAVE_META,
	STATEMENTS,
};

struct sqlite {
	struct backend b; /* first */
	sqlite3 *db;
	sqlite3_stmt *st[STATEMENTS];
	bool open, failed; /* the transaction */
	int wal;           /* a descriptor of the log, to be synced; -1: not open yet */
	bool id_unsaved;
	int64_t next_id;
	/* Ids below these may have been given out: so the open transaction says; the log; what of it is being synced; the disk. */
	int64_t reserved, committed, syncing, durable;
	int64_t count[TASK_STATES];
};

extern const struct backend_ops sqlite_ops;

/* --- sqlite_ids.c: 0 or -errno; but for the first, inside a transaction ---------------------------------------------- */
int ids_load(struct sqlite *s);
int ids_next(struct sqlite *s,
	int64_t *id); /* sets must_last when the disk does not know yet that it is taken */
int ids_save(struct sqlite *s); /* before a commit */
int ids_end(struct sqlite *s);  /* no more will be given out: no gap */

/* --- sqlite.c ------------------------------------------------------------------------------------------------------ */
sqlite3_stmt *sqlite_use(struct sqlite *s, enum statement n); /* reset, nothing bound */
int sqlite_finish(struct sqlite *s, sqlite3_stmt *st);        /* runs it to its end; 0 or -errno */
/* One row: 0, after which the columns may be read until the statement is reset; none: -ENOENT. */
int sqlite_first(struct sqlite *s, sqlite3_stmt *st);

int sqlite_prepare(struct sqlite *s); /* all statements; a code of SQLite */
int sqlite_recount(struct sqlite *s); /* 0 or -errno */

#endif
