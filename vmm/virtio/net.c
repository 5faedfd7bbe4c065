/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/virtio/net.h"

#include "lib/log.h"
#include "vmm/stat.h"
#include "vmm/virtio/chain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <string.h>
#include <unistd.h>

#define HEADER_BYTES      sizeof(struct virtio_net_hdr)
#define ETH_HEADER_BYTES  14u
#define FRAME_MAX_BYTES   65550u
#define NET_QUEUE_ENTRIES 256u
#define ARP_FRAME_BYTES   42u /* with the Ethernet header (RFC 826) */

static struct net_dev *net_of(struct virtio_dev *dev)
{
	return (struct net_dev *)((char *)dev - offsetof(struct net_dev, virtio));
}

void net_set_ip(struct net_dev *net, const char *args)
{
	static const char option[] = "ip=";
	char text[INET_ADDRSTRLEN] = "";

	memset(net->ip, 0, sizeof(net->ip));
	if (!args || strncmp(args, option, strlen(option)) != 0)
		return;
	args += strlen(option);
	strncat(text, args, strcspn(args, "/ ") < sizeof(text) ? strcspn(args, "/ ") : 0);
	if (inet_pton(AF_INET, text, net->ip) != 1)
		memset(net->ip, 0, sizeof(net->ip));
}

static bool is_own_ip(const struct net_dev *net, const uint8_t *ip)
{
	static const uint8_t none[4];

	return memcmp(net->ip, none, 4) == 0 || memcmp(ip, net->ip, 4) == 0 ||
		memcmp(ip, none, 4) == 0; /* an ARP probe has none yet (RFC 5227) */
}

/* head: the first n bytes of a frame, n >= ETH_HEADER_BYTES. */
static bool is_own(const struct net_dev *net, const uint8_t *head, size_t n)
{
	unsigned type = (unsigned)head[12] << 8 | head[13];

	if (memcmp(head + 6, net->config.mac, 6) != 0)
		return false;
	if (type == ETHERTYPE_ARP) /* sender's addresses */
		return n == ARP_FRAME_BYTES && memcmp(head + 22, net->config.mac, 6) == 0 &&
			is_own_ip(net, head + 28);
	if (type == ETHERTYPE_IP)
		return n >= ETH_HEADER_BYTES + 20 && is_own_ip(net, head + 26);
	return type != ETHERTYPE_VLAN && type != 0x88a8; /* a tag would hide what follows */
}

/* Copies the first max bytes behind the header; returns how many there are. */
static size_t copy_head(const struct chain *c, uint8_t *head, size_t max)
{
	struct iovec v[CHAIN_SEGMENTS_MAX];
	unsigned m = iov_cut(v, iov_skip(c->iov, c->nout, HEADER_BYTES, v), max);
	size_t n = 0;

	for (unsigned i = 0; i < m; i++) {
		memcpy(head + n, v[i].iov_base, v[i].iov_len);
		n += v[i].iov_len;
	}
	return n;
}

/* A frame that the tap does not take is dropped, as a full wire would; none of its errors is the guest's business. Its head
 * is checked and sent from a copy: the guest may change its memory meanwhile. */
static void send_frame(struct net_dev *net, const struct chain *c)
{
	struct iovec v[CHAIN_SEGMENTS_MAX + 2];
	struct virtio_net_hdr header = {0};
	uint8_t head[ARP_FRAME_BYTES];
	ssize_t sent = -1;
	size_t n;

	if (c->out_bytes >= HEADER_BYTES + ETH_HEADER_BYTES &&
		c->out_bytes <= HEADER_BYTES + FRAME_MAX_BYTES) {
		n = copy_head(c, head, sizeof(head));
		v[0] = (struct iovec){.iov_base = &header, .iov_len = sizeof(header)};
		v[1] = (struct iovec){.iov_base = head, .iov_len = n};
		if (is_own(net, head, n))
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

static int serve_tx(struct net_dev *net, unsigned budget)
{
	struct virtqueue *q = &net->virtio.queue[NET_QUEUE_TX];
	struct chain c;
	int r;

	virtqueue_mute_kick(q);
	do {
		while ((r = virtqueue_pop(q, &c)) > 0) {
			send_frame(net, &c);
			virtqueue_push(q, c.head, 0);
			if (--budget == 0)
				return 1; /* still muted: the caller comes back */
		}
		if (r < 0)
			return r;
	} while (virtqueue_want_kick(q));
	return 0;
}

/* One frame into one request: bytes written, 0 when the tap is empty, or -errno of the tap. */
static ssize_t receive_frame(struct net_dev *net, const struct chain *c)
{
	struct iovec v[CHAIN_SEGMENTS_MAX + 1];
	struct virtio_net_hdr header = {0};
	size_t left = sizeof(header);
	unsigned n;
	ssize_t got;

	v[0] = (struct iovec){.iov_base = &header, .iov_len = sizeof(header)};
	n = 1 + iov_skip(c->iov, c->nin, HEADER_BYTES, v + 1);
	got = readv(net->tap_fd, v, (int)n);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	header = (struct virtio_net_hdr){.num_buffers = 1};
	for (unsigned i = 0; left > 0; i++) {
		size_t part = c->iov[i].iov_len < left ? c->iov[i].iov_len : left;

		memcpy(c->iov[i].iov_base, (const char *)&header + sizeof(header) - left, part);
		left -= part;
	}
	return got;
}

static void tap_lost(struct net_dev *net, int error)
{
	net->tap_gone = true;
	log_warn("tap is gone", "error=\"%s\"", strerror(error));
}

static int serve_rx(struct net_dev *net, unsigned budget)
{
	struct virtqueue *q = &net->virtio.queue[NET_QUEUE_RX];
	struct chain c;

	while (budget-- > 0 && !net->tap_gone) {
		int r = virtqueue_pop(q, &c);
		ssize_t got;

		if (r == 0 && virtqueue_want_kick(q))
			continue;
		if (r <= 0) {
			net->starved = true;
			return r;
		}
		if (net->starved) {
			net->starved = false;
			virtqueue_mute_kick(q);
		}
		if (c.nout > 0 || c.in_bytes < HEADER_BYTES + ETH_HEADER_BYTES)
			return -EPROTO;
		got = receive_frame(net, &c);
		if (got <= 0) {
			virtqueue_unpop(q);
			if (got < 0)
				tap_lost(net, (int)-got);
			return 0;
		}
		/* A frame longer than the buffer was cut by the tap: the driver sees a short frame and drops it. */
		if ((uint64_t)got > c.in_bytes) {
			stat_inc(&net->rx_drops);
			got = (ssize_t)c.in_bytes;
		}
		stat_inc(&net->rx_packets);
		stat_add(&net->rx_bytes, (uint64_t)got - HEADER_BYTES);
		virtqueue_push(q, c.head, (uint32_t)got);
	}
	return !net->tap_gone;
}

static int serve(struct virtio_dev *dev, unsigned budget)
{
	struct net_dev *net = net_of(dev);
	int tx = serve_tx(net, budget);
	int rx;

	if (tx < 0)
		return tx;
	rx = serve_rx(net, budget);
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

static const struct virtio_ops net_ops = {
	.name = "net",
	.type = UIG_DEV_NET,
	.nqueues = 2,
	.queue_max = VIRTQUEUE_SIZE_MAX,
	.queue_prepared = {NET_QUEUE_ENTRIES, NET_QUEUE_ENTRIES},
	.serve = serve,
	.reset = reset,
	.wants_source = wants_tap,
	.fini = fini,
};

int net_init(struct net_dev *net, int tap_fd, const uint8_t mac[6], uint16_t mtu,
	const struct mem *mem, pthread_mutex_t *lock, gpa_t base, struct err *err)
{
	int r;

	*net = (struct net_dev){
		.tap_fd = tap_fd, .starved = true, .config = {.queue_pairs = 1, .mtu = mtu}};
	memcpy(net->config.mac, mac, sizeof(net->config.mac));
	net->virtio.features = VIRTIO_BIT(VIRTIO_NET_F_MAC) | VIRTIO_BIT(VIRTIO_NET_F_MTU);
	net->virtio.config = (const uint8_t *)&net->config;
	net->virtio.config_bytes = sizeof(net->config);
	r = virtio_init(&net->virtio, &net_ops, mem, lock, base, err);
	if (r == 0)
		net->virtio.source_fd = tap_fd;
	return r;
}
