/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/io_thread.h"

#include "lib/err.h"
#include "lib/log.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STACK_BYTES (128u << 10)

static int start(struct io_thread *t);

int io_thread_init(struct io_thread *t, int (*begin)(void *arg), void *arg, struct err *err)
{
	int r;

	*t = (struct io_thread){
		.done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .begin = begin, .arg = arg};
	t->todo_end = &t->todo;
	t->done_end = &t->done;
	t->into = t;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->changed, NULL);
	if (t->done_fd < 0)
		return err_sys(err, errno, "eventfd");
	r = start(t);
	return r < 0 ? err_sys(err, -r, "thread for files") : 0;
}

void io_thread_fini(struct io_thread *t)
{
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	if (t->started)
		pthread_join(t->thread, NULL);
	if (t->done_fd >= 0)
		close(t->done_fd);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
}

void io_thread_join(struct io_thread *t, struct io_thread *into)
{
	t->into = into;
}

static void append(struct io_job ***end, struct io_job *job)
{
	job->next = NULL;
	**end = job;
	*end = &job->next;
}

/* Its own lock is not held: there is no order between two of them. */
static void finish(struct io_thread *t, struct io_job *job, bool tell)
{
	pthread_mutex_lock(&t->lock);
	append(&t->done_end, job);
	if (tell)
		eventfd_write(t->done_fd, 1);
	pthread_mutex_unlock(&t->lock);
}

/* With the lock, which is given up while the job is done. */
static void do_first(struct io_thread *t)
{
	struct io_job *job = t->todo;
	bool tell;

	t->todo = job->next;
	if (!t->todo)
		t->todo_end = &t->todo;
	t->running = true;
	pthread_mutex_unlock(&t->lock);
	job->run(job);
	pthread_mutex_lock(&t->lock);
	tell = !t->todo || !t->todo->quick;
	pthread_mutex_unlock(&t->lock);
	finish(t->into, job, tell);
	pthread_mutex_lock(&t->lock);
	t->running = false;
	if (!t->todo)
		pthread_cond_broadcast(&t->changed);
}

static void *io_main(void *arg)
{
	struct io_thread *t = arg;

	pthread_setname_np(pthread_self(), "io");
	if (t->begin && t->begin(t->arg) < 0) {
		log_error("a thread for files cannot enter its sandbox", "error=%d", errno);
		_exit(1);
	}
	pthread_mutex_lock(&t->lock);
	while (!t->stop) {
		if (t->todo)
			do_first(t);
		else
			pthread_cond_wait(&t->changed, &t->lock);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static int start(struct io_thread *t)
{
	pthread_attr_t attr;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	r = pthread_create(&t->thread, &attr, io_main, t);
	pthread_attr_destroy(&attr);
	t->started = r == 0;
	return -r;
}

void io_thread_submit(struct io_thread *t, struct io_job *job)
{
	bool sleeps;

	pthread_mutex_lock(&t->lock);
	append(&t->todo_end, job);
	sleeps = !t->running;
	pthread_mutex_unlock(&t->lock);
	if (sleeps)
		pthread_cond_broadcast(&t->changed);
}

struct io_job *io_thread_collect(struct io_thread *t)
{
	struct io_job *done;
	eventfd_t count;

	pthread_mutex_lock(&t->lock);
	done = t->done;
	t->done = NULL;
	t->done_end = &t->done;
	if (done)
		eventfd_read(t->done_fd, &count);
	pthread_mutex_unlock(&t->lock);
	return done;
}

void io_thread_settle(struct io_thread *t)
{
	pthread_mutex_lock(&t->lock);
	while (t->todo || t->running)
		pthread_cond_wait(&t->changed, &t->lock);
	pthread_mutex_unlock(&t->lock);
}

struct io_job *io_thread_drop(struct io_thread *t)
{
	struct io_job *todo;

	pthread_mutex_lock(&t->lock);
	todo = t->todo;
	t->todo = NULL;
	t->todo_end = &t->todo;
	pthread_mutex_unlock(&t->lock);
	return todo;
}
