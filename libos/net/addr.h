/* SPDX-License-Identifier: Apache-2.0 */
/* AF_INET addresses between program and stack. */
#ifndef LIBOS_NET_ADDR_H
#define LIBOS_NET_ADDR_H

#include "libos/mem/uaccess.h"
#include "libos/uapi/socket.h"

#include <stdbool.h>

/* Is it a usable struct sockaddr_in? -EINVAL: too short, -EAFNOSUPPORT. any: AF_UNSPEC with address 0 counts as AF_INET (bind). */
int addr_check_in(const union sockaddr_any *addr, unsigned len, bool any);
/* May a socket be bound to it (network order)? */
bool addr_is_local(uint32_t ip);
/* Fills in an AF_INET address (ip in network, port in host order); its length. */
int addr_put_in(union sockaddr_any *addr, uint32_t ip, uint16_t port);

/* The program's address of len bytes, cleared behind them. -EINVAL, -EFAULT. */
int addr_from_user(union sockaddr_any *addr, uptr_t from, uint64_t len);
/* Value-result: at most *lenp bytes to `to`, the true length to *lenp. */
int addr_to_user(const union sockaddr_any *addr, unsigned len, uptr_t to, uptr_t lenp);

#endif
