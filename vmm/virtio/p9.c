/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/p9.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/util.h"
#include "vmm/p9/server.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>

#define QUEUE_ENTRIES 64u
#define JOBS          16u /* requests under way; more stay in the ring */
#define STACK_BYTES   (256u << 10)
#define SETTLE_S      5
#define F_MOUNT_TAG   0 /* feature bit: the configuration space holds a tag */

_Static_assert(CHAIN_SEGMENTS_MAX <= P9_SEGMENTS_MAX, "a chain is a request");

enum job_state { JOB_FREE, JOB_WAITING, JOB_RUNNING, JOB_DONE };

struct job {
	enum job_state state;
	uint64_t era;
	ssize_t result;
	struct chain chain;
};

struct p9_dev {
	struct virtio_dev virtio;
	struct p9_config_space {
		uint16_t tag_bytes;
		char tag[UIG_TAG_BYTES];
	} config;
	struct p9_server *server; /* owned; the thread's */
	pthread_t thread;
	bool has_thread;

	pthread_mutex_t jobs_lock; /* innermost */
	pthread_cond_t changed;
	bool stop;
	uint64_t era;         /* + 1 at each reset */
	struct job job[JOBS]; /* a ring: the thread takes them in order, from `next` */
	unsigned first, next,
		end; /* first: not yet given back; end: where the next one goes. Counted up, modulo JOBS */
};
_Static_assert(offsetof(struct p9_dev, virtio) == 0, "a device begins with its transport");

static struct p9_dev *p9_of(struct virtio_dev *dev)
{
	return (struct p9_dev *)(void *)dev;
}

/* ---- the thread */
static void run_job(struct p9_dev *p9, struct job *job)
{
	const struct chain *c = &job->chain;

	job->result = p9_server_serve(p9->server, c->iov, c->nout, c->iov + c->nout, c->nin);
}

static void *p9_main(void *arg)
{
	struct p9_dev *p9 = arg;

	/* A umask of its own: the client says which permissions a file gets. */
	if (unshare(CLONE_FS) == 0)
		umask(0);
	pthread_mutex_lock(&p9->jobs_lock);
	while (!p9->stop) {
		struct job *job = &p9->job[p9->next % JOBS];

		if (p9->next == p9->end) {
			pthread_cond_wait(&p9->changed, &p9->jobs_lock);
			continue;
		}
		job->state = JOB_RUNNING;
		pthread_mutex_unlock(&p9->jobs_lock);
		run_job(p9, job);
		pthread_mutex_lock(&p9->jobs_lock);
		job->state = JOB_DONE;
		p9->next++;
		pthread_cond_broadcast(&p9->changed);
		eventfd_write(p9->virtio.source_fd, 1);
	}
	pthread_mutex_unlock(&p9->jobs_lock);
	return NULL;
}

/* Signals are the main thread's, and a client must not end the monitor by the size of a file. */
static int start_thread(struct p9_dev *p9)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int r;

	signal(SIGXFSZ, SIG_IGN);
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&p9->thread, &attr, p9_main, p9);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	p9->has_thread = r == 0;
	return -r;
}

/* ---- the owner of the devices */
/* Gives finished jobs back, in order. -EPROTO when one of them was no request. */
static int give_back(struct p9_dev *p9, struct virtqueue *q)
{
	int r = 0;

	for (; p9->first != p9->end && p9->job[p9->first % JOBS].state == JOB_DONE; p9->first++) {
		struct job *job = &p9->job[p9->first % JOBS];

		job->state = JOB_FREE;
		if (job->era != p9->era)
			continue;
		if (job->result < 0)
			r = -EPROTO;
		else
			virtqueue_push(q, job->chain.head, (uint32_t)job->result);
	}
	return r;
}

/* Takes requests while there are free jobs. 0 or -EPROTO. */
static int take(struct p9_dev *p9, struct virtqueue *q)
{
	int r = 0;

	do {
		while (p9->end - p9->first < JOBS) {
			struct job *job = &p9->job[p9->end % JOBS];

			r = virtqueue_pop(q, &job->chain);
			if (r <= 0)
				break;
			job->state = JOB_WAITING;
			job->era = p9->era;
			p9->end++;
		}
	} while (r >= 0 && p9->end - p9->first < JOBS && virtqueue_want_kick(q));
	pthread_cond_broadcast(&p9->changed);
	return r < 0 ? r : 0;
}

static int serve(struct virtio_dev *dev, unsigned budget)
{
	struct p9_dev *p9 = p9_of(dev);
	struct virtqueue *q = &dev->queue[0];
	eventfd_t count;
	int r, taken;

	eventfd_read(dev->source_fd, &count); /* before the jobs are looked at */
	pthread_mutex_lock(&p9->jobs_lock);
	r = give_back(p9, q);
	taken = take(p9, q);
	pthread_mutex_unlock(&p9->jobs_lock);
	return r < 0 ? r : taken;
}

static bool wants_source(const struct virtio_dev *dev)
{
	(void)dev;
	return true;
}

static void reset(struct virtio_dev *dev)
{
	struct p9_dev *p9 = p9_of(dev);

	pthread_mutex_lock(&p9->jobs_lock);
	p9->era++;
	pthread_mutex_unlock(&p9->jobs_lock);
}

static void describe(const struct virtio_dev *dev, struct uig_device *out)
{
	const struct p9_dev *p9 = (const struct p9_dev *)(const void *)dev;

	memcpy(out->tag, p9->config.tag, sizeof(out->tag));
}

/* What the guest has asked for is done before the monitor ends: a write that was sent is written. */
static void settle(struct virtio_dev *dev)
{
	struct p9_dev *p9 = p9_of(dev);
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += SETTLE_S;
	pthread_mutex_lock(&p9->jobs_lock);
	while (p9->next != p9->end &&
		pthread_cond_timedwait(&p9->changed, &p9->jobs_lock, &until) == 0)
		;
	if (p9->next != p9->end)
		log_warn("a volume does not answer", "tag=%s", p9->config.tag);
	pthread_mutex_unlock(&p9->jobs_lock);
}

static void fini(struct virtio_dev *dev)
{
	struct p9_dev *p9 = p9_of(dev);

	if (p9->has_thread) {
		pthread_mutex_lock(&p9->jobs_lock);
		p9->stop = true;
		pthread_cond_broadcast(&p9->changed);
		pthread_mutex_unlock(&p9->jobs_lock);
		pthread_join(p9->thread, NULL);
	}
	if (dev->source_fd >= 0)
		close(dev->source_fd);
	virtio_fini(dev);
	p9_server_free(p9->server);
	pthread_cond_destroy(&p9->changed);
	pthread_mutex_destroy(&p9->jobs_lock);
	free(p9);
}

static const struct virtio_ops p9_ops = {
	.name = "9p",
	.type = UIG_DEV_9P,
	.nqueues = 1,
	.queue_max = QUEUE_ENTRIES,
	.queue_prepared = {QUEUE_ENTRIES},
	.serve = serve,
	.reset = reset,
	.describe = describe,
	.wants_source = wants_source,
	.settle = settle,
	.fini = fini,
};

static int set_up(struct p9_dev *p9, const struct mem *mem, pthread_mutex_t *lock, gpa_t base,
	struct err *err)
{
	int r = virtio_init(&p9->virtio, &p9_ops, mem, lock, base, err);

	if (r < 0)
		return r;
	p9->virtio.source_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p9->virtio.source_fd < 0)
		return err_sys(err, errno, "eventfd");
	r = start_thread(p9);
	return r < 0 ? err_sys(err, -r, "thread of a volume") : 0;
}

int p9_dev_new(int dir_fd, bool read_only, const char *tag, const struct mem *mem,
	pthread_mutex_t *lock, gpa_t base, struct virtio_dev **dev, struct err *err)
{
	struct p9_dev *p9 = calloc(1, sizeof(*p9));
	size_t len = strlen(tag);
	int r;

	if (!p9 || len == 0 || len > P9_TAG_MAX) {
		free(p9);
		close(dir_fd);
		return p9 ? err_set(err, EINVAL, "tag of a volume: 1 to %zu bytes", P9_TAG_MAX)
			  : err_set(err, ENOMEM, "out of memory");
	}
	r = p9_server_new(dir_fd, read_only, &p9->server, err);
	if (r < 0) {
		free(p9);
		return r;
	}
	pthread_mutex_init(&p9->jobs_lock, NULL);
	pthread_cond_init(&p9->changed, NULL);
	memcpy(p9->config.tag, tag, len);
	p9->config.tag_bytes = (uint16_t)len;
	p9->virtio.config = (const uint8_t *)&p9->config;
	p9->virtio.config_bytes = (unsigned)(sizeof(p9->config.tag_bytes) + len);
	p9->virtio.features = VIRTIO_BIT(F_MOUNT_TAG);
	r = set_up(p9, mem, lock, base, err);
	if (r < 0)
		fini(&p9->virtio);
	else
		*dev = &p9->virtio;
	return r;
}
