/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that does what may block on a disk, one job after the other, so that neither the device loop nor the vCPU thread
 * ever waits for one. Jobs end in the order in which they came; a finished one makes done_fd readable, which the device has as
 * its source (vmm/virtio/mmio.h), and is collected by whoever serves the device. A device may have two such threads, one for what waits
 * long (a volume's syncs): what both have finished comes in one list then.
 *
 * Why not io_uring: it would do the same with kernel threads, but many hosts forbid it (kernel.io_uring_disabled, container
 * profiles), and its rings cost every VM more memory than this thread. It is made with its device, before the monitor enters its
 * sandbox (vmm/sandbox/sandbox.h).
 *
 * Threads: `lock` guards all fields but done_fd; everything but the jobs' run() is called by who serves the device.
 */
#ifndef VMM_IO_THREAD_H
#define VMM_IO_THREAD_H

#include <pthread.h>
#include <stdbool.h>

struct err;

struct io_job {
	struct io_job *next;
	bool quick; /* what was finished before it may be told of when it is done too: one wake-up */
	void (*run)(struct io_job *job); /* on the thread, without the lock */
};

struct io_thread {
	int done_fd; /* owned eventfd */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	int (*begin)(void *arg);
	void *arg;
	struct io_thread
		*into; /* borrowed: who gets what this one has finished; itself, at first */
	bool started, stop, running; /* running: a job is being done */
	struct io_job *todo, **todo_end;
	struct io_job *done, **done_end;
};

/* Makes the thread, which begins with begin(arg) (NULL: nothing): it enters its sandbox there. When that fails, the process ends: the
 * thread could not be trusted. 0 or -errno; io_thread_fini() is right in both cases. */
int io_thread_init(struct io_thread *t, int (*begin)(void *arg), void *arg, struct err *err);
/* From here on, before any job: what t has finished is collected from `into`, and told of by its done_fd. `into` ends after t. */
void io_thread_join(struct io_thread *t, struct io_thread *into);
/* Waits for the job that is being done; queued ones are forgotten, they are their owner's. */
void io_thread_fini(struct io_thread *t);

/* Queues a job. */
void io_thread_submit(struct io_thread *t, struct io_job *job);
/* All finished jobs, in order, as a list; NULL: none. Makes done_fd unreadable. */
struct io_job *io_thread_collect(struct io_thread *t);
/* Waits until nothing is queued or being done. */
void io_thread_settle(struct io_thread *t);
/* Takes back what is queued and not begun, as a list. */
struct io_job *io_thread_drop(struct io_thread *t);

#endif
