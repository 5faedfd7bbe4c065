/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/p9.h"

#include "lib/err.h"
#include "lib/util.h"
#include "vmm/config.h"
#include "vmm/io_thread.h"
#include "vmm/p9/fid.h"
#include "vmm/p9/server.h"
#include "vmm/sandbox/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define QUEUE_ENTRIES 128u
#define JOBS          16u /* requests under way; more stay in the ring */
#define F_MOUNT_TAG   0   /* feature bit: the configuration space holds a tag */

_Static_assert(CHAIN_SEGMENTS_MAX <= P9_SEGMENTS_MAX, "a chain is a request");

struct job {
	struct io_job io; /* first: what the thread gives back is the job */
	struct p9_dev *p9;
	struct job *next_free;
	uint64_t era;
	ssize_t result;
	struct p9_sync sync; /* what `syncs` has */
	bool syncs;
	struct chain chain;
};

struct p9_dev {
	struct virtio_dev virtio;
	struct {
		uint16_t tag_bytes;
		char tag[UIG_TAG_BYTES];
	} config;
	struct io_thread thread;
	struct io_thread syncs;   /* waits for the disk, and needs nothing of the server */
	struct p9_server *server; /* owned; the thread's */
	uid_t owner;              /* of the folder */
	gid_t group;
	uint64_t era;     /* + 1 at each reset */
	unsigned busy;    /* jobs that `thread` has, or had and nobody collected */
	unsigned syncing; /* the same of `syncs` */
	struct job job[JOBS], *free;
};
_Static_assert(offsetof(struct p9_dev, virtio) == 0, "a device begins with its transport");

static struct p9_dev *p9_of(struct virtio_dev *dev)
{
	return (struct p9_dev *)(void *)dev;
}

/* On the thread. The guest says which permissions a file gets; the monitor's own files keep the monitor's umask. In the
 * sandbox the thread is the folder's owner, so that what it makes belongs to the same. */
static int enter(void *arg)
{
	const struct p9_dev *p9 = arg;
	int r;

	if (unshare(CLONE_FS) < 0)
		return -errno;
	umask(0);
	r = sandbox_enter_as(SANDBOX_FOLDER, p9->owner, p9->group);
	if (r == 0)
		p9_server_set_owner(p9->server);
	return r;
}

/* On the thread. */
static void run(struct io_job *io)
{
	struct job *job = (struct job *)(void *)io;
	const struct chain *c = &job->chain;
	struct p9_dev *p9 = job->p9;

	job->result = p9_server_serve(p9->server, c->iov, c->nout, c->iov + c->nout, c->nin);
}

/* On the other thread, which is as little a user of the host as the first. */
static int enter_syncs(void *arg)
{
	const struct p9_dev *p9 = arg;

	return sandbox_enter_as(SANDBOX_DISK, p9->owner, p9->group);
}

static void run_sync(struct io_job *io)
{
	struct job *job = (struct job *)(void *)io;
	const struct chain *c = &job->chain;

	job->result = p9_server_sync_end(&job->sync, c->iov + c->nout, c->nin);
}

static void job_put(struct p9_dev *p9, struct job *job)
{
	job->next_free = p9->free;
	p9->free = job;
	if (job->syncs)
		p9->syncing--;
	else
		p9->busy--;
}

/* Gives finished requests back. -EPROTO when one of them was none. */
static int give_back(struct p9_dev *p9, struct virtqueue *q)
{
	struct io_job *io = io_thread_collect(&p9->thread), *next;
	int r = 0;

	for (; io; io = next) {
		struct job *job = (struct job *)(void *)io;

		next = io->next;
		if (job->era == p9->era && job->result < 0)
			r = -EPROTO;
		else if (job->era == p9->era)
			virtqueue_push(q, job->chain.head, (uint32_t)job->result);
		job_put(p9, job);
	}
	return r;
}

/* Does a request at once, when the thread has nothing of ours and it needs no waiting: two wake-ups less. */
static bool do_now(struct p9_dev *p9, struct virtqueue *q, const struct chain *c)
{
	ssize_t n = p9_server_serve_now(p9->server, c->iov, c->nout, c->iov + c->nout, c->nin,
		p9->virtio.by_vcpu ? P9_SOON : P9_NOW);

	if (n < 0)
		return false;
	virtqueue_push(q, c->head, (uint32_t)n);
	return true;
}

/* A sync does not stand in the way of others, and two of them may share a commit of the host's file system. Where the guest is not our libOS
 * (there is an interrupt) all is done in order: a flush finds nothing to do. */
static bool sync_apart(struct p9_dev *p9, struct job *job)
{
	const struct chain *c = &job->chain;

	if (p9->virtio.irq_fd >= 0 ||
		p9_server_sync_begin(
			p9->server, c->iov, c->nout, c->iov + c->nout, c->nin, &job->sync) < 0)
		return false;
	job->syncs = true;
	job->io.run = run_sync;
	job->io.quick = false;
	p9->syncing++;
	io_thread_submit(&p9->syncs, &job->io);
	return true;
}

/* 1: taken, 0: there is none, or -errno. */
static int take_one(struct p9_dev *p9, struct virtqueue *q)
{
	struct job *job = p9->free;
	int r = virtqueue_pop(q, &job->chain);

	if (r <= 0)
		return r;
	job->era = p9->era;
	if (p9->busy == 0 && do_now(p9, q, &job->chain))
		return 1;
	p9->free = job->next_free;
	if (p9->busy == 0 && sync_apart(p9, job))
		return 1;
	job->syncs = false;
	job->io.run = run;
	p9->busy++;
	job->io.quick = p9_server_is_quick(p9->server, job->chain.iov, job->chain.nout);
	io_thread_submit(&p9->thread, &job->io);
	return 1;
}

static int serve(struct virtio_dev *dev, unsigned budget)
{
	struct p9_dev *p9 = p9_of(dev);
	struct virtqueue *q = &dev->queue[0];
	int r = give_back(p9, q);

	while (r >= 0 && p9->free) {
		r = take_one(p9, q);
		if (r == 0 && !virtqueue_want_kick(q))
			break;
	}
	return r < 0 ? r : 0; /* with no job free the rest waits for one: the source says when */
}

/* Nothing comes but what was asked for. */
static bool wants_source(const struct virtio_dev *dev)
{
	const struct p9_dev *p9 = (const struct p9_dev *)(const void *)dev;

	return p9->busy + p9->syncing > 0;
}

static void reset(struct virtio_dev *dev)
{
	p9_of(dev)->era++;
}

static void describe(const struct virtio_dev *dev, struct uig_device *out)
{
	const struct p9_dev *p9 = (const struct p9_dev *)(const void *)dev;

	memcpy(out->tag, p9->config.tag, sizeof(out->tag));
}

/* What the guest has asked for is done before the monitor ends: a write that was sent is written. */
static void settle(struct virtio_dev *dev)
{
	io_thread_settle(&p9_of(dev)->syncs);
	io_thread_settle(&p9_of(dev)->thread);
}

static void fini(struct virtio_dev *dev)
{
	struct p9_dev *p9 = p9_of(dev);

	io_thread_fini(&p9->syncs);
	io_thread_fini(&p9->thread);
	virtio_fini(dev);
	p9_server_free(p9->server);
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
	.wants_source = wants_source,
	.settle = settle,
	.fini = fini,
	.describe = describe,
};

static int set_up(struct p9_dev *p9, const struct mem *mem, pthread_mutex_t *lock, gpa_t base,
	struct err *err)
{
	int r;

	p9->syncs.done_fd = -1;
	r = io_thread_init(&p9->thread, enter, p9, err);
	if (r == 0)
		r = io_thread_init(&p9->syncs, enter_syncs, p9, err);
	if (r < 0)
		return r;
	io_thread_join(&p9->syncs, &p9->thread);
	r = virtio_init(&p9->virtio, &p9_ops, mem, lock, base, err);
	if (r == 0)
		p9->virtio.source_fd = p9->thread.done_fd;
	return r;
}

/* Up to two descriptors for each fid of each volume, as far as the hard limit goes; beyond it the guest gets EMFILE. */
static void raise_limit(void)
{
	rlim_t want = (rlim_t)CONFIG_VOLUMES_MAX * 2 * P9_FIDS_MAX;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= want)
		return;
	files.rlim_cur = files.rlim_max < want ? files.rlim_max : want;
	setrlimit(RLIMIT_NOFILE, &files);
}

int p9_dev_new(const struct p9_setup *setup, const struct mem *mem, pthread_mutex_t *lock,
	gpa_t base, struct virtio_dev **dev, struct err *err)
{
	struct p9_dev *p9 = calloc(1, sizeof(*p9));
	size_t len = strlen(setup->tag);
	struct stat st;
	int r;

	if (!p9) {
		close(setup->fd);
		return err_set(err, ENOMEM, "out of memory");
	}
	if (fstat(setup->fd, &st) == 0) {
		p9->owner = st.st_uid;
		p9->group = st.st_gid;
	}
	r = p9_server_new(setup->fd, setup->read_only, &p9->server, err);
	if (r < 0) {
		free(p9);
		return r;
	}
	raise_limit();
	signal(SIGXFSZ, SIG_IGN); /* the size of a file must not end the monitor */
	for (unsigned i = 0; i < JOBS; i++) {
		p9->job[i] = (struct job){.io.run = run, .p9 = p9};
		p9->busy++;
		job_put(p9, &p9->job[i]);
	}
	p9->config.tag_bytes = (uint16_t)(len < UIG_TAG_BYTES ? len : UIG_TAG_BYTES - 1);
	memcpy(p9->config.tag, setup->tag, p9->config.tag_bytes);
	p9->virtio.config = (const uint8_t *)&p9->config;
	p9->virtio.config_bytes = (unsigned)sizeof(p9->config.tag_bytes) + p9->config.tag_bytes;
	p9->virtio.features = VIRTIO_BIT(F_MOUNT_TAG);
	p9->virtio.kick_fd = -1;
	r = set_up(p9, mem, lock, base, err);
	if (r < 0)
		fini(&p9->virtio);
	else
		*dev = &p9->virtio;
	return r;
}
