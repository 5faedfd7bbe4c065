/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits by control groups (cgroup v2, Documentation/admin-guide/cgroup-v2.rst). The manager has one folder of that file system
 * (--cgroup), and in it a group for each shell, named as its lease:
 *
 *   DIR/uigN    memory.max: the VM's memory and what its monitor needs beside; cpu.max, cpu.weight, pids.max as asked for
 *
 * A monitor enters its group before it runs (daemon/spawn.c), so that all of its memory counts. A group goes with its shell, and
 * kills what is still in it; one that is not empty yet is tried again. The groups of a manager that was killed go on as their VMs
 * do, and those of no VM are removed by the next (cgroups_reap()). Nothing outside of DIR is ever written to.
 *
 * A NULL manager of groups has none: nothing is limited.
 */
#ifndef DAEMON_CGROUP_H
#define DAEMON_CGROUP_H

#include "daemon/instance/limits.h"

#include <jansson.h>
#include <stdbool.h>

struct cgroups;
struct loop;

/* dir: to be made, or left by an earlier manager; its parent is a group. NULL: none, *cgroups is NULL. 0 or -errno with err. */
int cgroups_new(const char *dir, struct loop *loop, struct cgroups **cgroups, struct err *err);
/* Removes the folder when it is empty. */
void cgroups_free(struct cgroups *cgroups);
/* {path, controllers}, or null: a new reference. */
json_t *cgroups_json(const struct cgroups *cgroups);
/* 0, or -EINVAL with err: limits of this kind can not be set here. */
int cgroups_can(const struct cgroups *cgroups, const struct limits *limits, struct err *err);

/* Makes the group of that name; *procs: its cgroup.procs, open for writing, which the caller closes; -1 without groups. 0 or -errno
 * with err. */
int cgroup_make(struct cgroups *cgroups, const char *name, unsigned memory_mib, int *procs,
	struct err *err);
/* 0 or -errno with err. */
int cgroup_limit(
	struct cgroups *cgroups, const char *name, const struct limits *limits, struct err *err);
/* The kernel has ended something in it for lack of memory; false where that is not known. */
bool cgroup_oom_killed(const struct cgroups *cgroups, const char *name);
/* Ends all that is in it; one that is not there is fine. */
void cgroup_remove(struct cgroups *cgroups, const char *name);
/* Removes all groups but those to be kept. */
void cgroups_reap(struct cgroups *cgroups, bool (*keep)(void *arg, const char *name), void *arg);

#endif
