/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that do what would keep the loop waiting: pictures, syncs of files. A job goes in by offload_add(), work() is called on one of
 * the threads, done() on the loop's, through an eventfd (with one thread: in order). A job belongs to the threads from
 * offload_add() until its done(), and lies inside a structure of its owner.
 *
 *   offload_add() -> todo --thread: work()--> done --eventfd, loop: done()--> its owner's again
 */
#ifndef SERVICES_COMMON_OFFLOAD_H
#define SERVICES_COMMON_OFFLOAD_H

#include "lib/loop.h"

struct offload;

#define OFFLOAD_THREADS_MAX 8

struct offload_job {
	void (*work)(struct offload_job *
			job); /* on a thread of its own: touches what the job names, nothing else */
	void (*done)(struct offload_job *job); /* on the loop's thread */
	struct offload_job *next;              /* the threads' */
};

/* threads: 1 to OFFLOAD_THREADS_MAX. 0 or -errno. */
int offload_new(struct loop *loop, unsigned int threads, struct offload **offload);
/* Waits for the jobs in work; those that are left get no done(). NULL is fine. */
void offload_free(struct offload *offload);
void offload_add(struct offload *offload, struct offload_job *job);

#endif
