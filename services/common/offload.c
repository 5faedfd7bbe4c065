/* SPDX-License-Identifier: Apache-2.0 */
#include "services/common/offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define STACK_BYTES (256 * KIB) /* small: each page counts when there are many services */

struct jobs {
	struct offload_job *first, **lastp;
};

struct offload {
	unsigned int threads; /* that run */
	pthread_t thread[OFFLOAD_THREADS_MAX];
	int event;
	struct loop_io *io;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* todo or stop have changed */
	/* under lock: */
	struct jobs todo, done;
	bool stop;
};

static void push(struct jobs *jobs, struct offload_job *job)
{
	job->next = NULL;
	*jobs->lastp = job;
	jobs->lastp = &job->next;
}

static struct offload_job *pop(struct jobs *jobs)
{
	struct offload_job *job = jobs->first;

	if (!job)
		return NULL;
	jobs->first = job->next;
	if (!jobs->first)
		jobs->lastp = &jobs->first;
	return job;
}

static void *run(void *arg)
{
	struct offload *o = arg;
	uint64_t one = 1;

	pthread_mutex_lock(&o->lock);
	while (!o->stop) {
		struct offload_job *job = pop(&o->todo);

		if (!job) {
			pthread_cond_wait(&o->wake, &o->lock);
			continue;
		}
		pthread_mutex_unlock(&o->lock);
		job->work(job);
		pthread_mutex_lock(&o->lock);
		push(&o->done, job);
		if (write(o->event, &one, sizeof(one)) < 0)
			break; /* cannot be: the counter does not overflow */
	}
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

static void on_event(void *arg, uint32_t events)
{
	struct offload *o = arg;
	uint64_t count;

	(void)events;
	if (read(o->event, &count, sizeof(count)) < 0)
		return;
	for (;;) {
		struct offload_job *job;

		pthread_mutex_lock(&o->lock);
		job = pop(&o->done);
		pthread_mutex_unlock(&o->lock);
		if (!job)
			return;
		job->done(job);
	}
}

static int start_threads(struct offload *o, unsigned int count)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int r = 0;

	sigfillset(&all); /* signals are for the loop */
	pthread_sigmask(SIG_BLOCK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	while (r == 0 && o->threads < count) {
		r = pthread_create(&o->thread[o->threads], &attr, run, o);
		o->threads += r == 0;
	}
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}

int offload_new(struct loop *loop, unsigned int threads, struct offload **out)
{
	struct offload *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		return -ENOMEM;
	o->todo.lastp = &o->todo.first;
	o->done.lastp = &o->done.first;
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->wake, NULL);
	o->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = o->event < 0 ? -errno : loop_io_add(loop, o->event, EPOLLIN, on_event, o, &o->io);
	if (r == 0)
		r = start_threads(o, threads);
	if (r < 0) {
		offload_free(o);
		return r;
	}
	*out = o;
	return 0;
}

void offload_free(struct offload *o)
{
	if (!o)
		return;
	pthread_mutex_lock(&o->lock);
	o->stop = true;
	pthread_cond_broadcast(&o->wake);
	pthread_mutex_unlock(&o->lock);
	for (unsigned int i = 0; i < o->threads; i++)
		pthread_join(o->thread[i], NULL);
	loop_io_del(o->io);
	if (o->event >= 0)
		close(o->event);
	pthread_cond_destroy(&o->wake);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

void offload_add(struct offload *o, struct offload_job *job)
{
	pthread_mutex_lock(&o->lock);
	push(&o->todo, job);
	pthread_cond_signal(&o->wake);
	pthread_mutex_unlock(&o->lock);
}
