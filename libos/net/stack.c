/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start of the stack, its poller, and what lwIP's port needs: memory, random numbers, initial sequence numbers, the packet
 * filter, checksums. One poller serves both interfaces: frames of the device, and packets that the instance sent to itself.
 */
#include "libos/net/stack.h"

#include "libos/drv/platform.h"
#include "libos/drv/virtio_net.h"
#include "libos/klib/errno.h"
#include "libos/klib/random.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/net/addr.h"
#include "libos/net/icmp.h"
#include "libos/net/port/hooks.h"
#include "libos/net/siphash.h"
#include "libos/net/tcp_ack.h"
#include "libos/net/tick.h"
#include "libos/sched/thread.h"

#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/sys.h>

#define POLL_BUDGET   256u /* frames per run, so that threads get their turn */
#define DRAIN_NS      NS_PER_SEC
#define DRAIN_STEP_NS (10ull * 1000 * 1000)

static uint64_t isn_key[2];

/* ---- lwIP's port */

void *net_calloc(size_t n, size_t bytes)
{
	size_t total;

	return __builtin_mul_overflow(n, bytes, &total) ? NULL : kzalloc(total);
}

uint32_t net_rand32(void)
{
	uint32_t r;

	random_bytes(&r, sizeof(r));
	return r;
}

u32_t sys_now(void)
{
	return (u32_t)(clock_mono_ns() / 1000000);
}

u32_t net_tcp_isn(const ip_addr_t *lip, u16_t lport, const ip_addr_t *rip, u16_t rport)
{
	struct {
		uint8_t lip[16], rip[16];
		uint16_t lport, rport;
		uint32_t zero;
	} id = {.lport = lport, .rport = rport};

	addr_bytes6(lip, id.lip);
	addr_bytes6(rip, id.rip);
	/* RFC 6528: a clock of 64 ns per step and a hash that only we can compute. */
	return (u32_t)(clock_mono_ns() >> 6) + (u32_t)siphash(isn_key, &id, sizeof(id));
}

static bool is_loopback(const ip4_addr_p_t *a)
{
	return (a->addr & 0xff) == 127;
}

int net_ip4_filter(struct pbuf *p, struct netif *inp)
{
	const struct ip_hdr *ip = p->payload;

	if (p->len < IP_HLEN)
		return 0; /* lwIP drops it */
	if (inp == net_eth() && (is_loopback(&ip->src) || is_loopback(&ip->dest))) {
		pbuf_free(p);
		return 1;
	}
	if (IPH_PROTO(ip) == IP_PROTO_ICMP && IPH_HL_BYTES(ip) >= IP_HLEN &&
		IPH_HL_BYTES(ip) <= p->len)
		net_icmp_error(p, IPH_HL_BYTES(ip), inp == net_eth());
	return 0;
}

/* ::1, or with last 0 the unspecified address. */
static bool is_address6(const ip6_addr_p_t *a, uint32_t last)
{
	return (a->addr[0] | a->addr[1] | a->addr[2]) == 0 && a->addr[3] == lwip_htonl(last);
}

/* Headers that lwIP's parser may see; of extension headers only that of a fragment, in front of what may be alone as well. */
static bool is_known_header(unsigned type)
{
	return type == IP6_NEXTH_TCP || type == IP6_NEXTH_UDP || type == IP6_NEXTH_ICMP6;
}

int net_ip6_filter(struct pbuf *p, struct netif *inp)
{
	const struct ip6_hdr *ip = p->payload;
	bool outside = inp == net_eth();

	if (p->len < IP6_HLEN)
		return 0; /* lwIP drops it */
	unsigned next = IP6H_NEXTH(ip);
	const uint8_t *behind = (const uint8_t *)p->payload + IP6_HLEN;
	bool known = is_known_header(next) ||
		(next == IP6_NEXTH_FRAGMENT && p->len >= IP6_HLEN + IP6_FRAG_HLEN &&
			is_known_header(behind[0]));
	/* Without a source one may only ask whether an address is free. */
	if (!known || (outside && (is_address6(&ip->dest, 1) || is_address6(&ip->src, 1))) ||
		(next != IP6_NEXTH_ICMP6 && is_address6(&ip->src, 0))) {
		pbuf_free(p);
		return 1;
	}
	if (next == IP6_NEXTH_ICMP6)
		net_icmp6_error(p, outside);
	return 0;
}

uint16_t net_chksum(const void *data, int len)
{
	const unsigned char *p = data;
	uint64_t sum = 0, v;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&v, p, 8);
		sum += v;
		sum += sum < v; /* end-around carry */
	}
	v = 0;
	if (len > 0)
		memcpy(&v, p, (size_t)len);
	sum += v;
	sum += sum < v;
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* ---- poller */

static bool loop_pending(void)
{
	struct netif *n;

	NETIF_FOREACH(n)
	if (n->loop_first)
		return true;
	return false;
}

static bool stack_pending(void)
{
	return vnet_pending() || loop_pending();
}

static void stack_run(void)
{
	vnet_tx_reclaim();
	vnet_poll(POLL_BUDGET);
	/* What the instance sends to itself may call for more of it: one round a time. */
	for (unsigned i = 0; i < POLL_BUDGET && loop_pending(); i++)
		netif_poll_all();
	net_tick_need();
}

/* Nothing can run: nobody will add to the acknowledgements that are due. */
static void stack_arm(void)
{
	tcp_ack_flush();
	vnet_arm();
}

static void stack_kick(void)
{
	tcp_ack_flush();
	vnet_kick();
}

static bool stack_leave(bool computes)
{
	if (computes)
		tcp_ack_flush();
	else
		tcp_ack_flush_old();
	return vnet_leave(computes);
}

static struct poller stack_poller = {
	.pending = stack_pending,
	.run = stack_run,
	.arm = stack_arm,
	.kick = stack_kick,
	.leave = stack_leave,
};

/* ---- start */

int net_init(const struct uig_device *dev, const struct net_config *config)
{
	random_bytes(isn_key, sizeof(isn_key));
	lwip_init();
	stack_poller.served_by_wait = platform_wait_serves();
	poller_add(&stack_poller);
	return dev ? eth_init(dev, config) : 0;
}

static bool is_outside(const struct tcp_pcb *pcb)
{
	if (IP_IS_V6_VAL(pcb->remote_ip))
		return !ip6_addr_isloopback(ip_2_ip6(&pcb->remote_ip));
	return !ip4_addr_isloopback(ip_2_ip4(&pcb->remote_ip));
}

/* From the head each time: a connection that ends may take others along. Peers hear of it only from who has the address still. */
static void drop_connections(bool tell)
{
	struct tcp_pcb **const lists[] = {&tcp_active_pcbs, &tcp_tw_pcbs};

	for (unsigned i = 0; i < 2; i++) {
		struct tcp_pcb *p = *lists[i];

		while (p) {
			if (!is_outside(p)) {
				p = p->next;
				continue;
			}
			tcp_abandon(p, tell);
			p = *lists[i];
		}
	}
}

int net_reconfigure(const struct net_config *config, const uint8_t mac[6])
{
	if (net_eth())
		drop_connections(netif_ip4_addr(net_eth())->addr == config->ip);
	random_bytes(isn_key, sizeof(isn_key));
	if (net_eth())
		eth_configure(config, mac);
	return 0;
}

/* ---- end */

static bool sending(void)
{
	for (const struct tcp_pcb *p = tcp_active_pcbs; p; p = p->next)
		if ((p->unsent || p->unacked) && p->state != SYN_SENT && p->state != SYN_RCVD)
			return true;
	return false;
}

/* No thread runs meanwhile: the program has ended. */
void net_exit_drain(void)
{
	uint64_t end = clock_mono_ns() + DRAIN_NS, now;

	while (sending() && (now = clock_mono_ns()) < end) {
		stack_arm();
		if (!stack_pending()) {
			vnet_kick();
			platform_wait(now + DRAIN_STEP_NS);
		}
		stack_run();
		net_tick_run();
	}
}
