/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ids of new tasks: never the same twice, not even when the highest was deleted, when a transaction was undone, or when the machine
 * died. That a task was created need not be on the disk before its picture is; but its number has been told by then. So numbers
 * are reserved by the hundred, and none is told before the disk knows that it is one of those. In table meta:
 *
 *   next_id   the next one, with each commit
 *   reserved  ids below it may have been told
 *   boot      when the machine was started that wrote this: the same, and next_id is as it was left; else those reserved are passed over
 */
#include "services/db/sqlite_impl.h"

#include <errno.h>
#include <stdio.h>

#define RESERVE 100
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* A number for this run of the machine; 0: not known. */
static int64_t this_boot(void)
{
	FILE *f = fopen(BOOT_ID, "re");
	uint64_t n = 0;
	int c;

	if (!f)
		return 0;
	while ((c = fgetc(f)) != EOF)
		n = (n ^ (uint64_t)c) * 0x100000001b3ull;
	fclose(f);
	return (int64_t)(n >> 1);
}

static int load(struct sqlite *s, const char *name, int64_t *value)
{
	sqlite3_stmt *st = sqlite_use(s, ST_META);
	int r;

	*value = 0;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	r = sqlite_first(s, st);
	if (r == 0)
		*value = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return r == -ENOENT ? 0 : r;
}

static int save(struct sqlite *s, const char *name, int64_t value)
{
	sqlite3_stmt *st = sqlite_use(s, ST_SAVE_META);

	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, value);
	return sqlite_finish(s, st);
}

int ids_load(struct sqlite *s)
{
	sqlite3_stmt *st = sqlite_use(s, ST_NEXT_ID);
	int64_t highest = 0, next = 0, reserved = 0, boot = 0;
	int r = sqlite_first(s, st);

	if (r == 0)
		highest = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	r = r ?: load(s, "next_id", &next) ?: load(s, "reserved", &reserved)
		?: load(s, "boot", &boot);
	if (r < 0)
		return r;
	next = next > highest ? next : highest;
	if (!boot || boot != this_boot())
		next = reserved = reserved > next ? reserved : next;
	s->next_id = next;
	s->reserved = s->committed =
		reserved; /* by a process that was perhaps killed before its sync: not durable */
	return 0;
}

int ids_next(struct sqlite *s, int64_t *id)
{
	if (s->next_id >= s->reserved) {
		int r = save(s, "reserved", s->next_id + RESERVE) ?: save(s, "boot", this_boot());

		if (r < 0)
			return r;
		s->reserved = s->next_id + RESERVE;
	}
	s->b.must_last |= s->next_id >= s->durable;
	s->id_unsaved = true;
	*id = s->next_id++;
	return 0;
}

int ids_save(struct sqlite *s)
{
	int r = s->id_unsaved ? save(s, "next_id", s->next_id) : 0;

	s->id_unsaved &= r < 0;
	return r;
}

int ids_end(struct sqlite *s)
{
	return ids_save(s) ?: save(s, "reserved", s->next_id);
}
