/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite writes each page of its log by two calls: the frame's head, then the page. On a volume of a unikernel each call is a
 * message to the host, and a transaction of three pages is six of them. Here the frames that are appended one after the other
 * are gathered, and written by one call with the frame that commits (its head says so: "WAL File Format" of
 * sqlite.org/fileformat2.html, section 4.1), so that a commit that cannot be written fails as it would otherwise. Whatever else
 * is done to the file comes behind what is gathered; what is not an appended frame (the log's head, heads that are written
 * again, pages that are replaced within a transaction) is passed on at once.
 *
 *   gathered: frame frame ... head --its page--> not the last: kept, unless the room is used up
 *                                      \-------> commits: written
 *
 * All other files are the VFS's below. One thread, as SQLite is used here.
 */
#include "services/db/sqlite_wal.h"

#include "lib/util.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LOG_HEAD_BYTES   32
#define FRAME_HEAD_BYTES 24
#define ROOM_BYTES       (64 * KIB)
#define UNKNOWN          (-1)

struct wal_file {
	sqlite3_file f;
	sqlite3_file *below; /* behind this structure */
	unsigned char *data; /* NULL: nothing was gathered so far */
	int len;
	sqlite3_int64 at;   /* offset of data */
	sqlite3_int64 next; /* where the next frame is appended, or UNKNOWN */
	sqlite3_int64 page; /* where the page of the last head goes, or UNKNOWN */
	bool gathered;      /* that head is the last of data */
	bool commits;       /* it says that its frame does */
};

static struct wal_file *wal_of(sqlite3_file *f)
{
	return (struct wal_file *)f;
}

static int flush(struct wal_file *w)
{
	int n = w->len, rc;

	if (!n)
		return SQLITE_OK;
	w->len = 0;
	w->gathered = false;
	rc = w->below->pMethods->xWrite(w->below, w->data, n, w->at);
	if (rc != SQLITE_OK)
		w->next = w->page = UNKNOWN;
	return rc;
}

static bool gather(struct wal_file *w, const void *data, int n, sqlite3_int64 at)
{
	if (!w->data)
		w->data = malloc(ROOM_BYTES);
	if (!w->data || n > (int)ROOM_BYTES - w->len)
		return false;
	if (!w->len)
		w->at = at;
	memcpy(w->data + w->len, data, (size_t)n);
	w->len += n;
	return true;
}

static bool says_commit(const unsigned char *head)
{
	return head[4] || head[5] || head[6] || head[7]; /* pages of the database after it */
}

/* The page of the head before it: the frame is complete. */
static int write_page(struct wal_file *w, const void *data, int n, sqlite3_int64 at)
{
	bool kept = w->gathered && gather(w, data, n, at);
	int rc = SQLITE_OK;

	w->next = at + n;
	w->page = UNKNOWN;
	w->gathered = false;
	if (kept && !w->commits)
		return SQLITE_OK;
	rc = flush(w);
	if (rc == SQLITE_OK && !kept)
		rc = w->below->pMethods->xWrite(w->below, data, n, at);
	if (rc != SQLITE_OK)
		w->next = UNKNOWN;
	return rc;
}

static int wal_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
	struct wal_file *w = wal_of(f);
	bool head = n == FRAME_HEAD_BYTES;
	int rc;

	if (at == w->page)
		return write_page(w, data, n, at);
	w->page = head ? at + n : UNKNOWN;
	w->commits = head && says_commit(data);
	w->gathered = head && at == w->next && gather(w, data, n, at);
	if (w->gathered)
		return SQLITE_OK;
	rc = flush(w);
	if (rc == SQLITE_OK)
		rc = w->below->pMethods->xWrite(w->below, data, n, at);
	if (at == 0 && n == LOG_HEAD_BYTES)
		w->next = LOG_HEAD_BYTES;
	if (rc != SQLITE_OK)
		w->next = w->page = UNKNOWN;
	return rc;
}

static int wal_read(sqlite3_file *f, void *data, int n, sqlite3_int64 at)
{
	struct wal_file *w = wal_of(f);
	int rc = flush(w);

	return rc != SQLITE_OK ? rc : w->below->pMethods->xRead(w->below, data, n, at);
}

static int wal_close(sqlite3_file *f)
{
	struct wal_file *w = wal_of(f);
	int rc = flush(w), closed = w->below->pMethods->xClose(w->below);

	free(w->data);
	w->data = NULL;
	return rc != SQLITE_OK ? rc : closed;
}

static int wal_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct wal_file *w = wal_of(f);
	int rc = flush(w);

	return rc != SQLITE_OK ? rc : w->below->pMethods->xTruncate(w->below, size);
}

static int wal_sync(sqlite3_file *f, int flags)
{
	struct wal_file *w = wal_of(f);
	int rc = flush(w);

	return rc != SQLITE_OK ? rc : w->below->pMethods->xSync(w->below, flags);
}

static int wal_size(sqlite3_file *f, sqlite3_int64 *size)
{
	struct wal_file *w = wal_of(f);
	int rc = flush(w);

	return rc != SQLITE_OK ? rc : w->below->pMethods->xFileSize(w->below, size);
}

static int wal_lock(sqlite3_file *f, int how)
{
	return wal_of(f)->below->pMethods->xLock(wal_of(f)->below, how);
}

static int wal_unlock(sqlite3_file *f, int how)
{
	return wal_of(f)->below->pMethods->xUnlock(wal_of(f)->below, how);
}

static int wal_reserved(sqlite3_file *f, int *out)
{
	return wal_of(f)->below->pMethods->xCheckReservedLock(wal_of(f)->below, out);
}

static int wal_control(sqlite3_file *f, int op, void *arg)
{
	return wal_of(f)->below->pMethods->xFileControl(wal_of(f)->below, op, arg);
}

static int wal_sector(sqlite3_file *f)
{
	return wal_of(f)->below->pMethods->xSectorSize(wal_of(f)->below);
}

static int wal_device(sqlite3_file *f)
{
	return wal_of(f)->below->pMethods->xDeviceCharacteristics(wal_of(f)->below);
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = wal_close,
	.xRead = wal_read,
	.xWrite = wal_write,
	.xTruncate = wal_truncate,
	.xSync = wal_sync,
	.xFileSize = wal_size,
	.xLock = wal_lock,
	.xUnlock = wal_unlock,
	.xCheckReservedLock = wal_reserved,
	.xFileControl = wal_control,
	.xSectorSize = wal_sector,
	.xDeviceCharacteristics = wal_device,
};

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags, int *got)
{
	sqlite3_vfs *below = vfs->pAppData;
	struct wal_file *w = wal_of(f);
	int rc;

	if (!(flags & SQLITE_OPEN_WAL))
		return below->xOpen(below, name, f, flags, got);
	*w = (struct wal_file){
		.below = (sqlite3_file *)(void *)(w + 1), .next = UNKNOWN, .page = UNKNOWN};
	rc = below->xOpen(below, name, w->below, flags, got);
	if (rc == SQLITE_OK)
		w->f.pMethods = &methods;
	return rc;
}

const char *wal_vfs(const char *base)
{
	static struct {
		sqlite3_vfs vfs;
		char name[32];
	} made[2];
	sqlite3_vfs *below = sqlite3_vfs_find(base);
	size_t i = 0;

	while (i < ARRAY_SIZE(made) && made[i].vfs.pAppData && made[i].vfs.pAppData != below)
		i++;
	if (!below || i == ARRAY_SIZE(made))
		return base;
	if (made[i].vfs.pAppData)
		return made[i].name;
	made[i].vfs = *below;
	snprintf(made[i].name, sizeof(made[i].name), "gather-%.20s", base);
	made[i].vfs.zName = made[i].name;
	made[i].vfs.pNext = NULL;
	made[i].vfs.pAppData = below;
	made[i].vfs.szOsFile += (int)sizeof(struct wal_file);
	made[i].vfs.xOpen = vfs_open;
	if (sqlite3_vfs_register(&made[i].vfs, 0) == SQLITE_OK)
		return made[i].name;
	made[i].vfs.pAppData = NULL;
	return base;
}
