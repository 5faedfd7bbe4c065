/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a daemon that was killed left in its run folder: RUN_DIR/vm/NAME/ of each shell, with the record of its process. The
 * next daemon goes on with those that an instance of the state database names (instances_adopt()), ends the processes of the
 * others and removes their folders; their interfaces are removed by network_new().
 */
#ifndef DAEMON_REAP_H
#define DAEMON_REAP_H

#include "lib/err.h"

#include <stdbool.h>

#define REAP_SHARED                                                                                \
	"shared-" /* beginning of the names of files in the run folder that shells share */
#define REAP_EMPTY  "empty"   /* folder in the run folder: what monitors have as their root */
#define REAP_RECORD "process" /* in a shell's folder: written by spawn.c */

/* Makes RUN_DIR and RUN_DIR/vm and takes the lock that only one daemon of this folder can hold (its descriptor in *lock, kept
 * until the end). 0 or -errno with err: -EBUSY when a daemon runs. */
int reap_take_run_dir(const char *run_dir, int *lock, struct err *err);

/* The lock of an open file or folder. What a manager that was killed has just started holds its descriptors until it runs its
 * program: so it is waited for, a second at most. 0, -EWOULDBLOCK when a manager has it, or another -errno. */
int reap_lock(int fd);

/* Cleans up the run folder, except the shells that keep() says are in use; name: of the folder, its interface's too. 0, or -errno with err
 * when it is not known what is there. */
int reap_run_dir(
	const char *run_dir, bool (*keep)(void *arg, const char *name), void *arg, struct err *err);

/* Ends the process of a shell's folder and waits for its end. 0: none is left; -errno: that is not known, or it does not end, and the
 * folder has to stay, which alone tells of it. */
int reap_process(const char *dir);

/* At the end, all VMs gone: removes what is in the run folder; the folder itself stays (it may be the service manager's). */
void reap_end(const char *run_dir);

/* Removes a folder and the files in it (not folders). Best effort. */
void reap_dir(const char *path);
/* Removes a folder and all below it, following no links; one that is not there is fine. Goes on where something can not be removed;
 * 0 when all is gone, -errno otherwise. */
int reap_tree(const char *path);

#endif
