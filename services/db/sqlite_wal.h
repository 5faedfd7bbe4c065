/* SPDX-License-Identifier: Apache-2.0 */
/* Fewer writes of SQLite's log (a VFS over another one). */
#ifndef SERVICES_DB_SQLITE_WAL_H
#define SERVICES_DB_SQLITE_WAL_H

/* The name of a VFS that does as base does ("unix", "unix-none") and writes the frames of a transaction in one go. Made when it is first asked for;
 * base itself where that cannot be. */
const char *wal_vfs(const char *base);

#endif
