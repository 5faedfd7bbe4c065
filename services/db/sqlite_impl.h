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
	ST_SAVE_ID,
	STATEMENTS,
};

struct sqlite {
	struct backend b; /* first */
	sqlite3 *db;
	sqlite3_stmt *st[STATEMENTS];
	bool open, failed; /* the transaction */
	bool id_unsaved;
	int64_t next_id;
	int64_t count[TASK_STATES];
};

extern const struct backend_ops sqlite_ops;

int sqlite_prepare(struct sqlite *s);      /* all statements; a code of SQLite */
int sqlite_load_next_id(struct sqlite *s); /* 0 or -errno */
int sqlite_recount(struct sqlite *s);      /* 0 or -errno */

#endif
