/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multicast groups that sockets have joined (RFC 3493, 5.2). Membership is told to nobody: a bridge of the manager passes multicast on
 * to no instance, so what comes is what this instance sends to itself.
 */
#ifndef LIBOS_NET_GROUP6_H
#define LIBOS_NET_GROUP6_H

#include <stdbool.h>

struct ip6_addr;
struct list;
struct netif;

/* `of` is a list that belongs to the socket. Values as they came from the program (struct ipv6_mreq).
 * -EINVAL: too short, or no group; -ENODEV; -EADDRINUSE: is a member; -EADDRNOTAVAIL: is none; -ENOBUFS: too many. */
int group6_join(struct list *of, const void *val, unsigned len);
int group6_leave(struct list *of, const void *val, unsigned len);
void group6_leave_all(struct list *of);

/* Does a packet to this group, that came by this interface, have a receiver? Also the groups of neighbour discovery. */
bool group6_accepts(struct netif *netif, const struct ip6_addr *group);

#endif
