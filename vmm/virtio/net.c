/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/net.h"

#include "lib/log.h"
#include "vmm/stat.h"
#include "vmm/virtio/chain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define HEADER_BYTES      sizeof(struct virtio_net_hdr)
#define FRAME_MAX_BYTES   (ETH_HEADER_BYTES + 65535u) /* a packet of IP, a super-segment included */
#define VLAN_BYTES        4u
#define NET_QUEUE_ENTRIES 256u
#define RX_CHAINS_MAX     64u
#define RX_PARTS_MAX      128u
#define BUDGET_BYTES      4096u /* a frame counts as one request for each of these */

#define OFFLOADS                                                                                   \
	(VIRTIO_BIT(VIRTIO_NET_F_CSUM) | VIRTIO_BIT(VIRTIO_NET_F_HOST_TSO4) |                      \
		VIRTIO_BIT(VIRTIO_NET_F_HOST_TSO6) | VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM) |         \
		VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO4) | VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO6) |        \
		VIRTIO_BIT(VIRTIO_NET_F_MRG_RXBUF))

static struct net_dev *net_of(struct virtio_dev *dev)
{
	return (struct net_dev *)((char *)dev - offsetof(struct net_dev, virtio));
}

static bool has(const struct net_dev *net, unsigned feature)
{
	return net->virtio.driver_features & VIRTIO_BIT(feature);
}

/* Reads "OPTION=ADDR/PREFIX" at the start of the arguments; returns what follows it. Elsewhere such words are the program's. */
static const char *read_address(const char *args, const char *option, int family, uint8_t *to)
{
	size_t n = strlen(option), len;
	char text[INET6_ADDRSTRLEN] = "";

	if (!args || strncmp(args, option, n) != 0)
		return args;
	len = strcspn(args + n, "/ ");
	if (len < sizeof(text))
		memcpy(text, args + n, len);
	if (inet_pton(family, text, to) != 1)
		memset(to, 0, family == AF_INET ? 4 : 16);
	args += strcspn(args, " ");
	return args + strspn(args, " ");
}

void net_set_ip(struct net_dev *net, const char *args)
{
	struct net_identity *id = &net->identity;

	memset(id->ip, 0, sizeof(id->ip));
	memset(id->ip6, 0, sizeof(id->ip6));
	args = read_address(args, "ip=", AF_INET, id->ip);
	read_address(args, "ip6=", AF_INET6, id->ip6);
}

/* Copies the first max bytes; returns how many there are. */
static size_t copy_head(const struct chain *c, uint8_t *head, size_t max)
{
	size_t n = 0;

	for (unsigned i = 0; i < c->nout && n < max; i++) {
		size_t part = c->iov[i].iov_len < max - n ? c->iov[i].iov_len : max - n;

		memcpy(head + n, c->iov[i].iov_base, part);
		n += part;
	}
	return n;
}

/* A frame that the tap does not take is dropped, as a full wire would; none of its errors is the guest's business. Both
 * headers are checked and sent from a copy: the guest may change its memory meanwhile. */
static void send_frame(struct net_dev *net, const struct chain *c)
{
	struct {
		struct virtio_net_hdr header;
		uint8_t head[NET_HEAD_BYTES];
	} guest;
	struct iovec v[CHAIN_SEGMENTS_MAX + 2];
	struct virtio_net_hdr header;
	ssize_t sent = -1;
	size_t n;

	_Static_assert(offsetof(typeof(guest), head) == HEADER_BYTES, "as in the frame");
	if (c->out_bytes >= HEADER_BYTES + ETH_HEADER_BYTES &&
		c->out_bytes <= HEADER_BYTES + FRAME_MAX_BYTES) {
		n = copy_head(c, (uint8_t *)&guest, sizeof(guest)) - HEADER_BYTES;
		v[0] = (struct iovec){.iov_base = &header, .iov_len = sizeof(header)};
		v[1] = (struct iovec){.iov_base = guest.head, .iov_len = n};
		if (net_filter_source(&net->identity, guest.head, n) &&
			net_filter_header(net->virtio.driver_features, &guest.header, guest.head, n,
				c->out_bytes - HEADER_BYTES, &header) == 0)
			sent = writev(net->tap_fd, v,
				2 + (int)iov_skip(c->iov, c->nout, HEADER_BYTES + n, v + 2));
	}
	if (sent < 0) {
		stat_inc(&net->tx_drops);
		return;
	}
	stat_inc(&net->tx_packets);
	stat_add(&net->tx_bytes, (uint64_t)sent - HEADER_BYTES);
}

static int serve_tx(struct net_dev *net, int budget)
{
	struct virtqueue *q = &net->virtio.queue[NET_QUEUE_TX];
	struct chain c;
	int r;

	virtqueue_mute_kick(q);
	do {
		while ((r = virtqueue_pop(q, &c)) > 0) {
			send_frame(net, &c);
			virtqueue_push(q, c.head, 0);
			budget -= 1 + (unsigned)(c.out_bytes / BUDGET_BYTES);
			if (budget <= 0)
				return 1; /* still muted: the caller comes back */
		}
		if (r < 0)
			return r;
	} while (virtqueue_want_kick(q));
	return 0;
}

static void tap_lost(struct net_dev *net, int error)
{
	net->tap_gone = true;
	log_warn("tap is gone", "error=\"%s\"", strerror(error));
}

/* Requests that together hold the next frame, whatever its length. */
struct room {
	unsigned nchains, nparts;
	uint64_t bytes;
	uint16_t head[RX_CHAINS_MAX];
	uint8_t chain_parts[RX_CHAINS_MAX];
	uint32_t chain_bytes[RX_CHAINS_MAX];
	struct iovec part[RX_PARTS_MAX];
};

static size_t longest_frame(const struct net_dev *net)
{
	return has(net, VIRTIO_NET_F_GUEST_TSO4) || has(net, VIRTIO_NET_F_GUEST_TSO6)
		? FRAME_MAX_BYTES
		: ETH_HEADER_BYTES + VLAN_BYTES + net->config.mtu;
}

/* Pops requests until there is room for any frame: one, or as many as that takes when they may be merged. 1, 0 when the
 * driver has not posted as much, -EPROTO. What is in *room already stays there; all that was popped is. */
static int find_room(struct net_dev *net, struct room *room)
{
	struct virtqueue *q = &net->virtio.queue[NET_QUEUE_RX];
	bool merge = has(net, VIRTIO_NET_F_MRG_RXBUF);
	uint64_t want = merge ? HEADER_BYTES + longest_frame(net) : 1;
	struct chain c;

	while (room->bytes < want) {
		int r;

		if (room->nchains == RX_CHAINS_MAX ||
			room->nparts + CHAIN_SEGMENTS_MAX > RX_PARTS_MAX)
			return 1; /* tiny buffers: a frame that does not fit is dropped */
		r = virtqueue_pop(q, &c);
		if (r <= 0)
			return r;
		if (c.nout > 0 || c.in_bytes < HEADER_BYTES + (merge ? 0 : ETH_HEADER_BYTES) ||
			c.in_bytes > UINT32_MAX)
			return -EPROTO;
		room->head[room->nchains] = c.head;
		room->chain_parts[room->nchains] = (uint8_t)c.nin;
		room->chain_bytes[room->nchains++] = (uint32_t)c.in_bytes;
		memcpy(room->part + room->nparts, c.iov, c.nin * sizeof(c.iov[0]));
		room->nparts += c.nin;
		room->bytes += c.in_bytes;
	}
	return 1;
}

/* Takes the first n requests out: what is behind them is room for the next frame. */
static void use_room(struct room *room, unsigned n)
{
	unsigned parts = 0;

	for (unsigned i = 0; i < n; i++) {
		parts += room->chain_parts[i];
		room->bytes -= room->chain_bytes[i];
	}
	room->nchains -= n;
	room->nparts -= parts;
	memmove(room->head, room->head + n, room->nchains * sizeof(room->head[0]));
	memmove(room->chain_parts, room->chain_parts + n,
		room->nchains * sizeof(room->chain_parts[0]));
	memmove(room->chain_bytes, room->chain_bytes + n,
		room->nchains * sizeof(room->chain_bytes[0]));
	memmove(room->part, room->part + parts, room->nparts * sizeof(room->part[0]));
}

/* Copies the header into the first bytes of the room. */
static void put_header(const struct room *room, const struct virtio_net_hdr *header)
{
	size_t left = sizeof(*header);

	for (unsigned i = 0; left > 0; i++) {
		const struct iovec *part = &room->part[i];
		size_t n = part->iov_len < left ? part->iov_len : left;

		memcpy(part->iov_base, (const char *)header + sizeof(*header) - left, n);
		left -= n;
	}
}

/* Gives the driver as many requests as bytes fill, together. */
static void publish(struct net_dev *net, struct room *room, uint64_t bytes)
{
	struct virtqueue *q = &net->virtio.queue[NET_QUEUE_RX];
	unsigned n;

	for (n = 0; bytes > 0 && n < room->nchains; n++) {
		uint32_t part =
			bytes < room->chain_bytes[n] ? (uint32_t)bytes : room->chain_bytes[n];

		virtqueue_fill(q, n, room->head[n], part);
		bytes -= part;
	}
	virtqueue_publish(q, n);
	use_room(room, n);
}

/* How many requests will the frame take? */
static unsigned count_chains(const struct room *room, uint64_t bytes)
{
	unsigned n = 0;

	while (bytes > 0 && n < room->nchains) {
		bytes -= bytes < room->chain_bytes[n] ? bytes : room->chain_bytes[n];
		n++;
	}
	return n;
}

/* What the driver did not agree to is left from before it did: such frames are dropped. */
static bool driver_takes(const struct net_dev *net, const struct virtio_net_hdr *header)
{
	switch (header->gso_type) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return !(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
			has(net, VIRTIO_NET_F_GUEST_CSUM);
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return has(net, VIRTIO_NET_F_GUEST_TSO4);
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return has(net, VIRTIO_NET_F_GUEST_TSO6);
	default:
		return false;
	}
}

/* One frame from the tap straight into the driver's buffers: its bytes with the header, 0 when the tap is empty, or -errno of the tap. */
static ssize_t receive_frame(struct net_dev *net, struct room *room)
{
	struct iovec v[RX_PARTS_MAX + 1];
	struct virtio_net_hdr header = {0};
	ssize_t got;

	v[0] = (struct iovec){.iov_base = &header, .iov_len = sizeof(header)};
	got = readv(
		net->tap_fd, v, 1 + (int)iov_skip(room->part, room->nparts, HEADER_BYTES, v + 1));
	if (got <= (ssize_t)HEADER_BYTES || !driver_takes(net, &header) ||
		(uint64_t)got > room->bytes) {
		int error = got < 0 ? errno : 0;

		if (got < 0)
			return error == EAGAIN || error == EINTR ? 0 : -error;
		stat_inc(&net->rx_drops); /* or longer than the driver's one buffer */
		return (ssize_t)HEADER_BYTES;
	}
	if (!has(net, VIRTIO_NET_F_GUEST_CSUM))
		header.flags = 0;
	header.num_buffers = (uint16_t)count_chains(room, (uint64_t)got);
	put_header(room, &header);
	publish(net, room, (uint64_t)got);
	stat_inc(&net->rx_packets);
	stat_add(&net->rx_bytes, (uint64_t)got - HEADER_BYTES);
	return got;
}

/* 1: the tap may have more, 0: it has not, or there is no room; -EPROTO. */
static int receive(struct net_dev *net, struct room *room, int budget)
{
	while (budget > 0 && !net->tap_gone) {
		int r = find_room(net, room);
		ssize_t got;

		if (r < 0)
			return r;
		if (r == 0) {
			struct virtqueue *q = &net->virtio.queue[NET_QUEUE_RX];

			if (virtqueue_want_kick_at(q, q->last_avail))
				continue;
			net->starved = true;
			return 0;
		}
		if (net->starved) {
			net->starved = false;
			virtqueue_mute_kick(&net->virtio.queue[NET_QUEUE_RX]);
		}
		got = receive_frame(net, room);
		if (got < 0)
			tap_lost(net, (int)-got);
		if (got <= 0)
			return 0;
		budget -= 1 + (int)(got / (ssize_t)BUDGET_BYTES);
	}
	return !net->tap_gone;
}

/* Room is looked for once for all frames that are there; what they leave goes back. */
static int serve_rx(struct net_dev *net, int budget)
{
	struct room room;
	int r;

	room.nchains = room.nparts = 0;
	room.bytes = 0;
	r = receive(net, &room, budget);
	virtqueue_unpop(&net->virtio.queue[NET_QUEUE_RX], room.nchains);
	return r;
}

static int serve(struct virtio_dev *dev, unsigned budget)
{
	struct net_dev *net = net_of(dev);
	int tx = serve_tx(net, (int)budget);
	int rx;

	if (tx < 0)
		return tx;
	if (dev->source_watched)
		return tx;
	rx = serve_rx(net, (int)budget);
	return rx < 0 ? rx : tx | rx;
}

static void reset(struct virtio_dev *dev)
{
	net_of(dev)->starved = true;
}

static bool wants_tap(const struct virtio_dev *dev)
{
	const struct net_dev *net = (const struct net_dev *)dev;

	return !net->starved && !net->tap_gone;
}
_Static_assert(offsetof(struct net_dev, virtio) == 0, "a device begins with its transport");

static void fini(struct virtio_dev *dev)
{
	struct net_dev *net = net_of(dev);

	virtio_fini(dev);
	if (net->tap_fd >= 0)
		close(net->tap_fd);
	net->tap_fd = -1;
}

/* The tap makes of each frame what the driver takes: it sums up and cuts what would be too much. */
static void accept_features(struct virtio_dev *dev)
{
	struct net_dev *net = net_of(dev);
	unsigned offloads = 0;

	if (has(net, VIRTIO_NET_F_GUEST_CSUM)) {
		offloads |= TUN_F_CSUM;
		offloads |= has(net, VIRTIO_NET_F_GUEST_TSO4) ? TUN_F_TSO4 : 0;
		offloads |= has(net, VIRTIO_NET_F_GUEST_TSO6) ? TUN_F_TSO6 : 0;
	}
	if (net->tap_fd >= 0 && offloads != net->offloads &&
		ioctl(net->tap_fd, TUNSETOFFLOAD, offloads) < 0)
		log_warn("tap offloads", "error=\"%s\"", strerror(errno));
	net->offloads = offloads;
}

void net_expect_all(struct net_dev *net)
{
	net->virtio.driver_features = net->virtio.features;
	accept_features(&net->virtio);
	net->virtio.driver_features = 0;
}

static void describe(const struct virtio_dev *dev, struct uig_device *out)
{
	const struct net_dev *net = (const struct net_dev *)dev;

	memcpy(out->mac, net->config.mac, sizeof(out->mac));
	out->mtu = net->config.mtu;
}

static const struct virtio_ops net_ops = {
	.name = "net",
	.type = UIG_DEV_NET,
	.nqueues = 2,
	.queue_max = VIRTQUEUE_SIZE_MAX,
	.queue_prepared = {NET_QUEUE_ENTRIES, NET_QUEUE_ENTRIES},
	.serve = serve,
	.reset = reset,
	.wants_source = wants_tap,
	.patient = true,
	.fini = fini,
	.describe = describe,
	.accept_features = accept_features,
};

int net_init(struct net_dev *net, int tap_fd, const uint8_t mac[6], uint16_t mtu,
	const struct mem *mem, pthread_mutex_t *lock, gpa_t base, struct err *err)
{
	int r;

	*net = (struct net_dev){.tap_fd = tap_fd,
		.offloads = UINT_MAX,
		.starved = true,
		.config = {.queue_pairs = 1, .mtu = mtu}};
	memcpy(net->config.mac, mac, sizeof(net->config.mac));
	memcpy(net->identity.mac, mac, sizeof(net->identity.mac));
	net->virtio.features =
		VIRTIO_BIT(VIRTIO_NET_F_MAC) | VIRTIO_BIT(VIRTIO_NET_F_MTU) | OFFLOADS;
	net->virtio.config = (const uint8_t *)&net->config;
	net->virtio.config_bytes = sizeof(net->config);
	r = virtio_init(&net->virtio, &net_ops, mem, lock, base, err);
	if (r == 0)
		net->virtio.source_fd = tap_fd;
	return r;
}
