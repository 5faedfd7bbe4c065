/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets and rings. A header of the guest is copied once, checked, and then used from the copy; what is wrong about a packet is answered
 * by RST, what is wrong about a ring stops the device.
 */
#include "vmm/virtio/vsock_impl.h"

#include "abi/virtio.h"
#include "lib/err.h"
#include "vmm/stat.h"
#include "vmm/virtio/chain.h"

#include <errno.h>
#include <string.h>

#define QUEUE_ENTRIES   128u
#define EVENT_ENTRIES   4u
#define BUDGET_BYTES    4096u /* a packet counts as one request for each of these */
#define SETTLE_MS       1000
#define FIRST_HOST_PORT (1u << 30) /* Firecracker's */
#define HDR             sizeof(struct virtio_vsock_hdr)

static struct vsock_dev *vsock_of(struct virtio_dev *dev)
{
	return (struct vsock_dev *)(void *)dev;
}
_Static_assert(offsetof(struct vsock_dev, virtio) == 0, "a device begins with its transport");

/* --- from the guest -------------------------------------------------------------------------------------------- */
static bool replies_full(const struct vsock_dev *v)
{
	return v->nreplies == VSOCK_REPLIES_MAX;
}

/* There is room: a packet is taken only when there is (serve_tx). */
static void reply_reset(struct vsock_dev *v, const struct virtio_vsock_hdr *h)
{
	if (h->op == VIRTIO_VSOCK_OP_RST)
		return;
	v->reply[(v->reply_at + v->nreplies++) % VSOCK_REPLIES_MAX] = (struct vsock_reply){
		.src_cid = h->dst_cid, .guest_port = h->src_port, .host_port = h->dst_port};
}

static void on_request(struct vsock_dev *v, const struct virtio_vsock_hdr *h)
{
	struct vsock_conn *c = vsock_conn_new(v, VSOCK_DIALING, h->src_port, h->dst_port, -1);

	if (!c) {
		reply_reset(v, h);
		return;
	}
	c->peer_alloc = h->buf_alloc;
	c->peer_fwd = h->fwd_cnt;
	if (vsock_host_dial(v, c) < 0)
		vsock_conn_reset(v, c);
}

static void on_response(struct vsock_dev *v, struct vsock_conn *c)
{
	if (c->state != VSOCK_ASKING || (c->want & VSOCK_WANT_REQUEST) || !vsock_host_confirm(c)) {
		vsock_conn_reset(v, c);
		return;
	}
	c->state = VSOCK_OPEN;
	c->readable = true;
}

/* False: the connection is over. */
static bool on_data(struct vsock_dev *v, struct vsock_conn *c, const struct virtio_vsock_hdr *h,
	const struct chain *chain)
{
	struct iovec part[CHAIN_SEGMENTS_MAX];
	unsigned n;

	if (c->state != VSOCK_OPEN || (c->shutdown & VIRTIO_VSOCK_SHUTDOWN_SEND))
		return false;
	n = iov_skip(chain->iov, chain->nout, HDR, part);
	n = iov_cut(part, n, h->len);
	return vsock_conn_write(v, c, part, n, h->len);
}

/* The guest has closed: it is told that this is known, and what it has sent goes its way. */
static void on_shutdown(struct vsock_dev *v, struct vsock_conn *c, const struct virtio_vsock_hdr *h)
{
	if (c->state != VSOCK_OPEN) {
		vsock_conn_reset(v, c);
		return;
	}
	vsock_conn_shutdown(v, c, h->flags);
	if (c->shutdown != VIRTIO_VSOCK_SHUTDOWN_BOTH)
		return;
	reply_reset(v, h);
	vsock_conn_drain(v, c);
}

static void on_known(struct vsock_dev *v, struct vsock_conn *c, const struct virtio_vsock_hdr *h,
	const struct chain *chain)
{
	uint64_t id = c->id;

	if (h->op == VIRTIO_VSOCK_OP_RST) {
		vsock_conn_free(v, c);
		return;
	}
	if (c->state == VSOCK_RESETTING)
		return;
	c->peer_alloc = h->buf_alloc;
	c->peer_fwd = h->fwd_cnt;
	if (vsock_conn_credit(c) > 0)
		c->asked = false;
	if (h->op == VIRTIO_VSOCK_OP_RESPONSE)
		on_response(v, c);
	else if (h->op == VIRTIO_VSOCK_OP_SHUTDOWN)
		on_shutdown(v, c, h);
	else if (h->op == VIRTIO_VSOCK_OP_CREDIT_ASK)
		c->want |= VSOCK_WANT_CREDIT;
	else if (h->op == VIRTIO_VSOCK_OP_RW ? !on_data(v, c, h, chain)
					     : h->op != VIRTIO_VSOCK_OP_CREDIT)
		vsock_conn_reset(v, c);
	c = vsock_find(v, h->src_port, h->dst_port);
	if (c && c->id == id)
		vsock_update(v, c);
}

static void on_packet(
	struct vsock_dev *v, const struct virtio_vsock_hdr *h, const struct chain *chain)
{
	struct vsock_conn *c;

	if (h->src_cid != v->cid) {
		stat_inc(&v->drops); /* an answer would go astray */
		return;
	}
	if (h->dst_cid != VIRTIO_VSOCK_CID_HOST || h->type != VIRTIO_VSOCK_TYPE_STREAM) {
		reply_reset(v, h);
		return;
	}
	c = vsock_find(v, h->src_port, h->dst_port);
	if (c && h->len > chain->out_bytes - HDR)
		vsock_conn_reset(v, c);
	else if (c)
		on_known(v, c, h, chain);
	else if (h->op == VIRTIO_VSOCK_OP_REQUEST)
		on_request(v, h);
	else
		reply_reset(v, h);
}

/* Copies the header out of the parts of the chain, once. */
static void read_header(const struct chain *c, struct virtio_vsock_hdr *h)
{
	size_t n = 0;

	for (unsigned i = 0; i < c->nout && n < HDR; i++) {
		size_t part = c->iov[i].iov_len < HDR - n ? c->iov[i].iov_len : HDR - n;

		memcpy((char *)h + n, c->iov[i].iov_base, part);
		n += part;
	}
}

static int serve_tx(struct vsock_dev *v, int budget)
{
	struct virtqueue *q = &v->virtio.queue[VSOCK_QUEUE_TX];
	struct virtio_vsock_hdr h = {0};
	struct chain c;
	int r;

	virtqueue_mute_kick(q);
	do {
		while (!replies_full(v) && (r = virtqueue_pop(q, &c)) != 0) {
			if (r < 0 || c.nin > 0 || c.out_bytes < HDR)
				return -EPROTO;
			read_header(&c, &h);
			on_packet(v, &h, &c);
			virtqueue_push(q, c.head, 0);
			budget -= 1 + (int)(h.len / BUDGET_BYTES);
			if (budget <= 0)
				return 1; /* still muted: the caller comes back */
		}
		if (replies_full(v))
			return 0; /* goes on when the guest has taken some */
	} while (virtqueue_want_kick(q));
	return 0;
}

/* --- to the guest ---------------------------------------------------------------------------------------------- */
static struct virtio_vsock_hdr header_for(
	const struct vsock_dev *v, const struct vsock_conn *c, uint16_t op)
{
	return (struct virtio_vsock_hdr){.src_cid = VIRTIO_VSOCK_CID_HOST,
		.dst_cid = v->cid,
		.src_port = c->host_port,
		.dst_port = c->guest_port,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = op,
		.buf_alloc = VSOCK_BUF_BYTES,
		.fwd_cnt = c->fwd};
}

/* Into the first bytes of the buffer. */
static void put_header(const struct chain *c, const struct virtio_vsock_hdr *h)
{
	size_t n = 0;

	for (unsigned i = 0; i < c->nin && n < HDR; i++) {
		size_t part = c->iov[i].iov_len < HDR - n ? c->iov[i].iov_len : HDR - n;

		memcpy(c->iov[i].iov_base, (const char *)h + n, part);
		n += part;
	}
}

static void send(struct vsock_dev *v, const struct chain *c, const struct virtio_vsock_hdr *h)
{
	put_header(c, h);
	virtqueue_push(&v->virtio.queue[VSOCK_QUEUE_RX], c->head, (uint32_t)HDR + h->len);
}

static void send_reply(struct vsock_dev *v, const struct chain *c)
{
	const struct vsock_reply *reply = &v->reply[v->reply_at];
	struct virtio_vsock_hdr h = {.src_cid = reply->src_cid,
		.dst_cid = v->cid,
		.src_port = reply->host_port,
		.dst_port = reply->guest_port,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = VIRTIO_VSOCK_OP_RST};

	v->reply_at = (v->reply_at + 1) % VSOCK_REPLIES_MAX;
	v->nreplies--;
	send(v, c, &h);
}

/* The op that the connection wants most; 0: data. */
static uint16_t take_want(struct vsock_conn *c)
{
	static const struct {
		unsigned want;
		uint16_t op;
	} order[] = {{VSOCK_WANT_RST, VIRTIO_VSOCK_OP_RST},
		{VSOCK_WANT_REQUEST, VIRTIO_VSOCK_OP_REQUEST},
		{VSOCK_WANT_RESPONSE, VIRTIO_VSOCK_OP_RESPONSE},
		{VSOCK_WANT_SHUTDOWN, VIRTIO_VSOCK_OP_SHUTDOWN},
		{VSOCK_WANT_CREDIT, VIRTIO_VSOCK_OP_CREDIT},
		{VSOCK_WANT_ASK, VIRTIO_VSOCK_OP_CREDIT_ASK}};

	for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (c->want & order[i].want) {
			c->want &= ~order[i].want;
			return order[i].op;
		}
	}
	return 0;
}

/* With both directions told the socket is of no more use; the guest's RST ends the connection. */
static void tell_shutdown(struct vsock_conn *c, struct virtio_vsock_hdr *h)
{
	h->flags = (c->eof ? VIRTIO_VSOCK_SHUTDOWN_SEND : 0) |
		(c->refused ? VIRTIO_VSOCK_SHUTDOWN_RECV : 0);
	c->told_shutdown = h->flags;
	if (h->flags == VIRTIO_VSOCK_SHUTDOWN_BOTH && c->fd >= 0) {
		close(c->fd);
		c->fd = -1;
	}
}

/* One packet of a connection into the buffer: true when it was used. The connection may be gone then. */
static bool send_packet(struct vsock_dev *v, struct vsock_conn *c, const struct chain *chain)
{
	uint16_t op = take_want(c);
	struct virtio_vsock_hdr h = header_for(v, c, op ? op : VIRTIO_VSOCK_OP_RW);
	struct iovec part[CHAIN_SEGMENTS_MAX];
	unsigned n;

	if (!op) {
		n = iov_skip(chain->iov, chain->nin, HDR, part);
		n = iov_cut(part, n, vsock_conn_credit(c));
		h.len = n > 0 ? vsock_conn_read(v, c, part, n) : 0;
		if (h.len == 0)
			return false;
	}
	if (op == VIRTIO_VSOCK_OP_SHUTDOWN)
		tell_shutdown(c, &h);
	c->fwd_told = c->fwd;
	c->want &= ~VSOCK_WANT_CREDIT; /* every packet tells it */
	send(v, chain, &h);
	if (op == VIRTIO_VSOCK_OP_RST) {
		vsock_conn_free(v, c);
		return true;
	}
	return true;
}

/* The next connection's turn; it goes to the end of the list when it has more. True: the buffer was used. */
static bool send_next(struct vsock_dev *v, const struct chain *chain)
{
	struct vsock_conn *c = TAILQ_FIRST(&v->pending);
	bool last = c->want & VSOCK_WANT_RST;
	bool used;

	TAILQ_REMOVE(&v->pending, c, pending);
	c->is_pending = false;
	used = send_packet(v, c, chain);
	if (!last)
		vsock_update(v, c);
	return used;
}

static bool starved(struct vsock_dev *v)
{
	struct virtqueue *q = &v->virtio.queue[VSOCK_QUEUE_RX];

	if (virtqueue_want_kick(q))
		return false;
	v->starved = true;
	return true;
}

static int serve_rx(struct vsock_dev *v, int budget)
{
	struct virtqueue *q = &v->virtio.queue[VSOCK_QUEUE_RX];
	struct chain c;

	while (v->nreplies > 0 || !TAILQ_EMPTY(&v->pending)) {
		int r = virtqueue_pop(q, &c);

		if (r < 0 || (r > 0 && (c.nout > 0 || c.in_bytes <= HDR)))
			return -EPROTO;
		if (r == 0) {
			if (starved(v))
				return 0;
			continue;
		}
		if (v->starved) {
			v->starved = false;
			virtqueue_mute_kick(q);
		}
		if (v->nreplies > 0)
			send_reply(v, &c);
		else if (!send_next(v, &c))
			virtqueue_unpop(q, 1);
		budget -= 1 + (int)(c.in_bytes / BUDGET_BYTES);
		if (budget <= 0)
			return 1;
	}
	return 0;
}

/* --- the device ------------------------------------------------------------------------------------------------ */
static int serve(struct virtio_dev *dev, unsigned budget)
{
	struct vsock_dev *v = vsock_of(dev);
	bool was_full;
	int tx, rx;

	vsock_host_collect(v);
	tx = serve_tx(v, (int)budget);
	if (tx < 0)
		return tx;
	was_full = replies_full(v);
	rx = serve_rx(v, (int)budget);
	if (rx < 0)
		return rx;
	return tx | rx | (was_full && !replies_full(v)) | v->accepting;
}

static void free_all(struct vsock_dev *v)
{
	struct vsock_conn *c;

	while ((c = TAILQ_FIRST(&v->all)) != NULL)
		vsock_conn_free(v, c);
	v->nreplies = 0;
}

static void reset(struct virtio_dev *dev)
{
	struct vsock_dev *v = vsock_of(dev);

	free_all(v);
	v->starved = true;
}

/* Sockets are watched for edges: what can not be done now is remembered, and the source is quiet. */
static bool wants_source(const struct virtio_dev *dev)
{
	return true;
}

static void settle(struct virtio_dev *dev)
{
	vsock_settle_all(vsock_of(dev), SETTLE_MS);
}

static void describe(const struct virtio_dev *dev, struct uig_device *out)
{
	const struct vsock_dev *v = (const struct vsock_dev *)(const void *)dev;

	out->cid = v->cid;
}

static void fini(struct virtio_dev *dev)
{
	struct vsock_dev *v = vsock_of(dev);

	free_all(v);
	vsock_host_fini(v);
	virtio_fini(dev);
	free(v);
}

static const struct virtio_ops vsock_ops = {
	.name = "vsock",
	.type = UIG_DEV_VSOCK,
	.nqueues = 3,
	.queue_max = QUEUE_ENTRIES,
	.queue_prepared = {QUEUE_ENTRIES, QUEUE_ENTRIES, EVENT_ENTRIES},
	.serve = serve,
	.reset = reset,
	.wants_source = wants_source,
	.patient = true,
	.settle = settle,
	.fini = fini,
	.describe = describe,
};

unsigned vsock_dev_count(const struct virtio_dev *dev)
{
	return ((const struct vsock_dev *)(const void *)dev)->nconns;
}

int vsock_dev_new(const struct vsock_setup *setup, const struct mem *mem, pthread_mutex_t *lock,
	gpa_t base, struct virtio_dev **dev, struct err *err)
{
	struct vsock_dev *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	TAILQ_INIT(&v->all);
	TAILQ_INIT(&v->pending);
	v->cid = setup->cid;
	v->listen_fd = v->folder_fd = v->epoll_fd = -1;
	v->next_host_port = FIRST_HOST_PORT - 1;
	v->starved = true;
	v->virtio.config = (const uint8_t *)&v->cid;
	v->virtio.config_bytes = sizeof(v->cid);
	v->virtio.kick_fd = -1;
	r = vsock_host_init(v, setup, err);
	if (r == 0)
		r = virtio_init(&v->virtio, &vsock_ops, mem, lock, base, err);
	if (r < 0) {
		fini(&v->virtio);
		return r;
	}
	v->virtio.source_fd = v->epoll_fd;
	*dev = &v->virtio;
	return 0;
}
