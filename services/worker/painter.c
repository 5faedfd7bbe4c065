/* SPDX-License-Identifier: Apache-2.0 */
#include "services/worker/painter.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

struct jobs {
	struct paint_job *first, **lastp;
};

struct painter {
	struct picture_limits limits;
	unsigned int threads; /* that run */
	pthread_t thread[PAINTER_THREADS_MAX];
	int event;
	struct loop_io *io;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* todo or stop have changed */
	/* under lock: */
	struct jobs todo, done;
	bool stop;
};

static void push(struct jobs *jobs, struct paint_job *job)
{
	job->next = NULL;
	*jobs->lastp = job;
	jobs->lastp = &job->next;
}

static struct paint_job *pop(struct jobs *jobs)
{
	struct paint_job *job = jobs->first;

	if (!job)
		return NULL;
	jobs->first = job->next;
	if (!jobs->first)
		jobs->lastp = &jobs->first;
	return job;
}

static void paint(struct painter *p, struct paint_job *job)
{
	int64_t start = loop_now_ns();

	job->result = paint_picture(job->in.data, job->in.len, &job->params, &p->limits, &job->out,
		&job->format, &job->err);
	job->ns = loop_now_ns() - start;
}

static void *work(void *arg)
{
	struct painter *p = arg;
	uint64_t one = 1;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct paint_job *job = pop(&p->todo);

		if (!job) {
			pthread_cond_wait(&p->wake, &p->lock);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		paint(p, job);
		pthread_mutex_lock(&p->lock);
		push(&p->done, job);
		if (write(p->event, &one, sizeof(one)) < 0)
			break; /* cannot be: the counter does not overflow */
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void on_event(void *arg, uint32_t events)
{
	struct painter *p = arg;
	uint64_t count;

	(void)events;
	if (read(p->event, &count, sizeof(count)) < 0)
		return;
	for (;;) {
		struct paint_job *job;

		pthread_mutex_lock(&p->lock);
		job = pop(&p->done);
		pthread_mutex_unlock(&p->lock);
		if (!job)
			return;
		job->done(job);
	}
}

static int start_threads(struct painter *p, unsigned int count)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int r = 0;

	/* Signals are for the loop; a small stack, because each page counts when there are many workers. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * KIB);
	while (r == 0 && p->threads < count) {
		r = pthread_create(&p->thread[p->threads], &attr, work, p);
		p->threads += r == 0;
	}
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}

int painter_new(struct loop *loop, const struct picture_limits *limits, unsigned int threads,
	struct painter **out)
{
	struct painter *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->limits = *limits;
	p->todo.lastp = &p->todo.first;
	p->done.lastp = &p->done.first;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	p->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = p->event < 0 ? -errno : loop_io_add(loop, p->event, EPOLLIN, on_event, p, &p->io);
	if (r == 0)
		r = start_threads(p, threads);
	if (r < 0) {
		painter_free(p);
		return r;
	}
	*out = p;
	return 0;
}

void painter_free(struct painter *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (unsigned int i = 0; i < p->threads; i++)
		pthread_join(p->thread[i], NULL);
	loop_io_del(p->io);
	if (p->event >= 0)
		close(p->event);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void painter_add(struct painter *p, struct paint_job *job)
{
	pthread_mutex_lock(&p->lock);
	push(&p->todo, job);
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}
