/* SPDX-License-Identifier: Apache-2.0 */
/* The table of bound ports. Rules: socket(7) SO_REUSEADDR and SO_REUSEPORT, ip(7). */
#include "libos/net/ports.h"

#include "libos/klib/errno.h"
#include "libos/klib/random.h"
#include "libos/net/addr.h"
#include "libos/net/demux.h"
#include "libos/uapi/socket.h"

#include <lwip/priv/tcp_priv.h>

#define BUCKETS   256u
#define EPHEMERAL (PORT_EPHEMERAL_LAST - PORT_EPHEMERAL_FIRST + 1)

static struct list bucket[BUCKETS];

static struct list *bucket_of(uint16_t port)
{
	struct list *b = &bucket[port % BUCKETS];

	if (!b->next)
		list_init(b);
	return b;
}

void port_init(struct port_bind *b, int protocol)
{
	*b = (struct port_bind){.protocol = protocol};
	list_init(&b->link);
}

static bool conflicts(const struct port_bind *a, const struct port_bind *b)
{
	if (a == b || a->protocol != b->protocol || a->port != b->port)
		return false;
	if (!addr_overlap(&a->addr, &b->addr))
		return false;
	if (a->reuseport && b->reuseport)
		return false;
	bool listening = a->listening || b->listening;
	return !(a->reuseaddr && b->reuseaddr && !(a->protocol == IPPROTO_TCP && listening));
}

static bool list_has_port(const struct tcp_pcb *p, const struct port_bind *b)
{
	for (; p; p = p->next)
		if (p->local_port == b->port && addr_overlap(&b->addr, &p->local_ip))
			return true;
	return false;
}

static bool taken(const struct port_bind *b)
{
	list_for_each (other, bucket_of(b->port), struct port_bind, link)
		if (conflicts(b, other))
			return true;
	/* Without SO_REUSEADDR the connections that are left of an earlier listener count as well. */
	if (b->protocol == IPPROTO_TCP && !b->reuseaddr)
		return list_has_port(tcp_active_pcbs, b) || list_has_port(tcp_tw_pcbs, b);
	return false;
}

static bool port_unused(const struct port_bind *b, uint16_t port)
{
	list_for_each (other, bucket_of(port), struct port_bind, link)
		if (other->port == port && other->protocol == b->protocol)
			return false;
	return true;
}

static uint16_t ephemeral(uint32_t start, uint32_t i)
{
	return (uint16_t)(PORT_EPHEMERAL_FIRST + (start + i) % EPHEMERAL);
}

static int take_free(struct port_bind *b)
{
	uint32_t start;

	random_bytes(&start, sizeof(start));
	start %= EPHEMERAL;
	for (uint32_t i = 0; i < EPHEMERAL; i++) {
		b->port = ephemeral(start, i);
		if (port_unused(b, b->port) && !taken(b)) {
			list_add_tail(bucket_of(b->port), &b->link);
			return 0;
		}
	}
	b->port = 0;
	return -EADDRINUSE;
}

int port_take(struct port_bind *b, const ip_addr_t *addr, uint16_t port)
{
	b->addr = *addr;
	if (port == 0)
		return take_free(b);
	b->port = port;
	if (taken(b)) {
		b->port = 0;
		return -EADDRINUSE;
	}
	list_add_tail(bucket_of(port), &b->link);
	return 0;
}

int port_take_for(
	struct port_bind *b, const ip_addr_t *addr, const ip_addr_t *raddr, uint16_t rport)
{
	uint32_t start;

	random_bytes(&start, sizeof(start));
	start %= EPHEMERAL;
	for (uint32_t i = 0; i < EPHEMERAL; i++) {
		uint16_t port = ephemeral(start, i);

		if (!port_unused(b, port) || demux_find(addr, port, raddr, rport))
			continue;
		b->addr = *addr;
		b->port = port;
		list_add_tail(bucket_of(port), &b->link);
		return 0;
	}
	return -EADDRNOTAVAIL;
}

int port_listen(struct port_bind *b)
{
	b->listening = true;
	list_for_each (other, bucket_of(b->port), struct port_bind, link) {
		if (other->listening && conflicts(b, other)) {
			b->listening = false;
			return -EADDRINUSE;
		}
	}
	return 0;
}

void port_drop(struct port_bind *b)
{
	list_del(&b->link);
	b->port = 0;
	b->listening = false;
}
