/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders that go. Each is removed at once; one that resists (no descriptor left, a disk that fails) is put aside, so that its
 * name is free, and tried again each second. What is still there when the manager is killed its successor removes, because
 * nothing names it (reap_run_dir(), instances_load()).
 */
#ifndef DAEMON_TRASH_H
#define DAEMON_TRASH_H

struct loop;
struct trash;

/* The loop stays the caller's. 0 or -ENOMEM. */
int trash_new(struct loop *loop, struct trash **trash);
/* Tries a last time. NULL is fine. */
void trash_free(struct trash *trash);

/* Removes a folder and all below it, following no links; one that is not there is fine. */
void trash_folder(struct trash *trash, const char *path);

/* Folders that are still there. */
unsigned trash_count(const struct trash *trash);

#endif
