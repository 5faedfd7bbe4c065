/* SPDX-License-Identifier: Apache-2.0 */
/* Which backend an address means. PostgreSQL is there only in programs that are linked with libpq (-DWITH_POSTGRES). */
#include "services/db/backend.h"

#include <errno.h>
#include <string.h>

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

int backend_open(const char *url, struct backend_watch watch, struct backend **b, struct err *err)
{
	if (begins(url, "sqlite:"))
		return sqlite_open(url + strlen("sqlite:"), b, err);
	if (!begins(url, "postgresql://") && !begins(url, "postgres://"))
		return err_set(err, EINVAL,
			"a queue is sqlite:PATH or postgresql://USER@HOST/DATABASE, not \"%.60s\"",
			url);
#ifdef WITH_POSTGRES
	return postgres_open(url, watch, b, err);
#else
	(void)watch;
	return err_set(err, ENOTSUP, "this program knows no PostgreSQL: db-postgres does");
#endif
}
