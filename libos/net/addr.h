/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AF_INET and AF_INET6 addresses between program and stack. Below the system calls an address is lwIP's: type V4 (of an AF_INET6 socket: one
 * that the program sees mapped, ::ffff:a.b.c.d), type V6, or type ANY: the wildcard of both.
 */
#ifndef LIBOS_NET_ADDR_H
#define LIBOS_NET_ADDR_H

#include "libos/mem/uaccess.h"
#include "libos/uapi/socket.h"

#include <lwip/ip_addr.h>
#include <stdbool.h>

struct netif;

struct endpoint {
	ip_addr_t ip;
	uint16_t port;  /* host order */
	uint32_t scope; /* of an IPv6 address; 0: not given */
};

/* What a socket of this domain has before it has an address. */
ip_addr_t addr_any(int domain, bool v6only);
bool addr_is_any(const ip_addr_t *ip);
bool addr_same(const ip_addr_t *a, const ip_addr_t *b);
/* Is one the other, or a wildcard that covers it? */
bool addr_overlap(const ip_addr_t *a, const ip_addr_t *b);
static inline ip_addr_t addr_v4(uint32_t ip)
{
	ip_addr_t a = IPADDR4_INIT(ip);

	return a;
}

/* One of the instance's own, or a wildcard or group. */
bool addr_is_local(const ip_addr_t *ip);

/* Where a socket shall be bound. -EINVAL: too short, -EAFNOSUPPORT, -EADDRNOTAVAIL, -ENODEV: as Linux. */
int addr_of_bind(
	const union sockaddr_any *addr, unsigned len, int domain, bool v6only, struct endpoint *to);
/* Whom a socket with the local address `local` shall talk to; the wildcard is this machine. -EINVAL, -EAFNOSUPPORT, -ENETUNREACH. */
#define ADDR_MIXED  1u /* an AF_INET6 socket may be given an AF_INET address */
#define ADDR_SCOPED 2u /* a link-local address must come with its interface */
int addr_of_peer(const union sockaddr_any *addr, unsigned len, int domain, bool v6only,
	const ip_addr_t *local, unsigned flags, struct endpoint *to);

/* The interface to it, NULL: there is no route; and the address that is used there as source. */
struct netif *addr_route(const ip_addr_t *from, const ip_addr_t *to);
ip_addr_t addr_source(struct netif *nif, const ip_addr_t *to);

/* Fills in an address as a socket of the domain tells it (port in host order); its length. */
int addr_put(union sockaddr_any *addr, int domain, const ip_addr_t *ip, uint16_t port);
/* The 16 bytes that stand for it: IPv4 is mapped. */
void addr_bytes6(const ip_addr_t *ip, uint8_t bytes[16]);

/* The program's address of len bytes, cleared behind them. -EINVAL, -EFAULT. */
int addr_from_user(union sockaddr_any *addr, uptr_t from, uint64_t len);
/* Value-result: at most *lenp bytes to `to`, the true length to *lenp. */
int addr_to_user(const union sockaddr_any *addr, unsigned len, uptr_t to, uptr_t lenp);

#endif
