/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's choice when memory is used up: whom it ends (oom_score_adj, proc(5)), and what it tells of it. A VM is to go before
 * the manager that looks after all of them, so what the manager starts has a higher score than itself; the manager's own
 * is its administrator's (OOMScoreAdjust= of its unit) and never touched.
 */
#ifndef DAEMON_OOM_H
#define DAEMON_OOM_H

#include <stdint.h>

#define OOM_SCORE_MAX 1000
#define OOM_SCORE_ABOVE                                                                            \
	500 /* half of the machine's memory counts as much: more than a manager ever has */
#define OOM_TEXT_BYTES 8
#define OOM_HOST_FILE  "/proc/vmstat"

/* What a child of this process writes to its oom_score_adj: OOM_SCORE_ABOVE more than this one has, or than nothing when
 * this one is protected; at most the greatest there is. */
void oom_child_score(char text[OOM_TEXT_BYTES]);

/* The count of the line "oom_kill N" (/proc/vmstat, memory.events of a control group); 0 when there is none, or no such
 * file. dir: as of openat(). */
uint64_t oom_kills(int dir, const char *path);

#endif
