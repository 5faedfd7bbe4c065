/* SPDX-License-Identifier: Apache-2.0 */
#include "libos/fs/p9_rpc.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"

#define AREA_PAGES 2u /* for each of the two areas: a symbolic link's text fits */
#define AREA_BYTES (AREA_PAGES * (uint32_t)PAGE_BYTES)
#define IDLE_MAX   4u
#define ERRNO_MAX  4095u

bool p9_alone;

/* ---- messages */
static void put(struct p9_call *c, const void *from, uint32_t n)
{
	if (n > AREA_BYTES - c->at) {
		c->bad = true;
		return;
	}
	memcpy(c->out + c->at, from, n);
	c->at += n;
}

void p9_put8(struct p9_call *c, uint8_t v)
{
	put(c, &v, sizeof(v));
}

void p9_put16(struct p9_call *c, uint16_t v)
{
	put(c, &v, sizeof(v));
}

void p9_put32(struct p9_call *c, uint32_t v)
{
	put(c, &v, sizeof(v));
}

void p9_put64(struct p9_call *c, uint64_t v)
{
	put(c, &v, sizeof(v));
}

void p9_put_string(struct p9_call *c, const char *text, uint32_t len)
{
	p9_put16(c, (uint16_t)len);
	put(c, text, len);
}

const uint8_t *p9_get_bytes(struct p9_call *c, uint32_t n)
{
	const uint8_t *p = c->in + c->at;

	if (c->bad || n > c->end - c->at) {
		c->bad = true;
		return NULL;
	}
	c->at += n;
	return p;
}

static uint64_t get(struct p9_call *c, uint32_t n)
{
	const uint8_t *p = p9_get_bytes(c, n);
	uint64_t v = 0;

	if (p)
		memcpy(&v, p, n);
	return v;
}

uint8_t p9_get8(struct p9_call *c)
{
	return (uint8_t)get(c, 1);
}

uint16_t p9_get16(struct p9_call *c)
{
	return (uint16_t)get(c, 2);
}

uint32_t p9_get32(struct p9_call *c)
{
	return (uint32_t)get(c, 4);
}

uint64_t p9_get64(struct p9_call *c)
{
	return get(c, 8);
}

void p9_add_piece(struct p9_call *c, void *data, uint32_t bytes)
{
	c->piece[c->npieces++] = (struct vq_buf){.ptr = data, .len = bytes};
}

/* ---- calls */
static struct p9_call *call_new(struct p9_client *client)
{
	struct p9_call *c = client->idle;

	if (c) {
		client->idle = c->next;
		client->nidle--;
		return c;
	}
	c = kzalloc(sizeof(*c));
	if (!c)
		return NULL;
	c->out = page_alloc_run((size_t)AREA_PAGES * 2);
	if (!c->out) {
		kfree(c);
		return NULL;
	}
	c->in = c->out + AREA_BYTES;
	c->client = client;
	return c;
}

struct p9_call *p9_begin(struct p9_client *client, uint8_t type)
{
	struct p9_call *c = call_new(client);

	if (!c)
		return NULL;
	c->type = type;
	c->done = c->bad = c->to_device = false;
	c->error = 0;
	c->npieces = 0;
	c->complete = NULL;
	c->req.unhurried = false;
	waitq_init(&c->waiters);
	list_init(&c->link);
	c->at = 4; /* the size comes last */
	p9_put8(c, type);
	p9_put16(c, type == P9_TVERSION ? P9_NOTAG : (uint16_t)((uintptr_t)c->out / PAGE_BYTES));
	return c;
}

void p9_end(struct p9_call *c)
{
	struct p9_client *client = c->client;

	if (client->nidle < IDLE_MAX) {
		c->next = client->idle;
		client->idle = c;
		client->nidle++;
		return;
	}
	page_free_run(c->out, (size_t)AREA_PAGES * 2);
	kfree(c);
}

/* Head and error of an answer, against what was asked. */
static int check_answer(struct p9_call *c, uint32_t bytes)
{
	uint32_t size, code;
	uint16_t tag, sent;
	uint8_t type;

	c->at = 0;
	c->end = bytes;
	size = p9_get32(c);
	type = p9_get8(c);
	tag = p9_get16(c);
	memcpy(&sent, c->out + 5, sizeof(sent));
	if (c->bad || size < P9_HEAD_BYTES || size > bytes || tag != sent)
		return -EIO;
	c->end = size;
	if (type == P9_RLERROR) {
		code = p9_get32(c);
		return !c->bad && code && code <= ERRNO_MAX ? -(int)code : -EIO;
	}
	return type == c->type + 1 ? 0 : -EIO;
}

static int submit(struct p9_call *c)
{
	struct vq_buf buf[2 + P9_PIECES_MAX];
	unsigned n = 0, nout;
	bool data_in = c->npieces && !c->to_device;

	buf[n++] = (struct vq_buf){.ptr = c->out, .len = c->at};
	for (unsigned i = 0; c->to_device && i < c->npieces; i++)
		buf[n++] = c->piece[i];
	nout = n;
	buf[n++] = (struct vq_buf){.ptr = c->in, .len = data_in ? P9_READ_HEAD : AREA_BYTES};
	for (unsigned i = 0; data_in && i < c->npieces; i++)
		buf[n++] = c->piece[i];
	return v9p_submit(c->client->dev, buf, nout, n - nout, &c->req);
}

static void submit_waiting(struct p9_client *client);

static void on_done(struct v9p_request *r, uint32_t bytes)
{
	struct p9_call *c = (struct p9_call *)r;
	struct p9_client *client = c->client;

	c->error = check_answer(c, bytes);
	c->done = true;
	waitq_wake_all(&c->waiters);
	if (c->complete)
		c->complete(c); /* may be the call's end */
	submit_waiting(client);
}

static void submit_waiting(struct p9_client *client)
{
	while (!list_empty(&client->waiting)) {
		struct p9_call *c = container_of(client->waiting.next, struct p9_call, link);
		int rc = submit(c);

		if (rc == -ENOSPC)
			return;
		list_del(&c->link);
		if (rc < 0)
			on_done(&c->req, 0);
	}
}

void p9_start_behind(struct p9_call *c)
{
	c->req.unhurried = true;
	p9_start(c);
}

void p9_start(struct p9_call *c)
{
	uint32_t size = c->at;

	for (unsigned i = 0; c->to_device && i < c->npieces; i++)
		size += c->piece[i].len;
	memcpy(c->out, &size, sizeof(size));
	c->req.done = on_done;
	if (c->bad) {
		c->bad = false;
		c->error = -EINVAL;
		c->done = true;
		return;
	}
	list_add_tail(&c->client->waiting, &c->link);
	submit_waiting(c->client);
	if (!v9p_ordered(c->client->dev) && !c->complete)
		p9_finish(c);
}

int p9_finish(struct p9_call *c)
{
	c->req.unhurried = false;
	while (!c->done) {
		if (p9_alone)
			v9p_wait(c->client->dev);
		else
			waitq_wait_uninterruptible(&c->waiters, TIME_FOREVER);
	}
	return c->error;
}

int p9_run(struct p9_call *c)
{
	p9_start(c);
	return p9_finish(c);
}

/* ---- fids */
uint32_t p9_fid_new(struct p9_client *client)
{
	if (client->fid_nfree)
		return client->fid_free[--client->fid_nfree];
	if (client->fid_next == client->fid_room) { /* room to give all of them back */
		unsigned room = client->fid_room ? client->fid_room * 2 : 64;
		uint32_t *more = krealloc(client->fid_free, room * sizeof(*more));

		if (!more)
			return P9_NOFID;
		client->fid_free = more;
		client->fid_room = room;
	}
	return client->fid_next++;
}

void p9_fid_drop(struct p9_client *client, uint32_t fid)
{
	if (fid != P9_NOFID)
		client->fid_free[client->fid_nfree++] = fid;
}

static void clunked(struct p9_call *c)
{
	p9_fid_drop(c->client, (uint32_t)c->arg_off);
	p9_end(c);
}

/* Without memory the fid is lost: the server has a limit, and so has this. */
void p9_clunk(struct p9_client *client, uint32_t fid)
{
	struct p9_call *c = p9_begin(client, P9_TCLUNK);

	if (!c)
		return;
	p9_put32(c, fid);
	c->complete = clunked;
	c->arg_off = fid;
	p9_start_behind(c);
}

/* ---- buffers */
char *p9_bounce_get(struct p9_client *client, uint32_t want, uint32_t *bytes)
{
	char *buf = client->bounce;

	want = (uint32_t)page_round_up(want);
	if (buf && client->bounce_bytes >= want) {
		client->bounce = NULL;
		*bytes = client->bounce_bytes;
		return buf;
	}
	for (; want; want = want > PAGE_BYTES ? (uint32_t)page_round_up(want / 2) : 0) {
		buf = page_alloc_run(want / PAGE_BYTES);
		if (buf) {
			*bytes = want;
			return buf;
		}
	}
	return NULL;
}

/* The larger one is kept. */
void p9_bounce_put(struct p9_client *client, char *buf, uint32_t bytes)
{
	char *old = client->bounce;
	uint32_t old_bytes = client->bounce_bytes;

	if (!old || old_bytes < bytes) {
		client->bounce = buf;
		client->bounce_bytes = bytes;
		buf = old;
		bytes = old_bytes;
	}
	if (buf)
		page_free_run(buf, bytes / PAGE_BYTES);
}

/* ---- the session */
static int version(struct p9_client *client, uint32_t *msize)
{
	struct p9_call *c = p9_begin(client, P9_TVERSION);
	const uint8_t *text;
	uint16_t len;
	int rc;

	if (!c)
		return -ENOMEM;
	p9_put32(c, P9_MSIZE_MAX);
	p9_put_string(c, P9_VERSION, sizeof(P9_VERSION) - 1);
	rc = p9_run(c);
	*msize = p9_get32(c);
	len = p9_get16(c);
	text = p9_get_bytes(c, len);
	if (!rc && (!text || len != sizeof(P9_VERSION) - 1 || memcmp(text, P9_VERSION, len)))
		rc = -EPROTONOSUPPORT;
	if (!rc && (*msize < P9_MSIZE_MIN || *msize > P9_MSIZE_MAX))
		rc = -EPROTO;
	p9_end(c);
	return rc;
}

int p9_client_init(struct p9_client *client, struct v9p *dev)
{
	uint32_t msize;
	int rc;

	*client = (struct p9_client){.dev = dev};
	list_init(&client->waiting);
	rc = version(client, &msize);
	if (rc < 0)
		return rc;
	client->io = (uint32_t)page_round_down(msize - P9_WRITE_HEAD);
	if (client->io > P9_IO_BYTES)
		client->io = P9_IO_BYTES;
	return client->io ? 0 : -EPROTO;
}
