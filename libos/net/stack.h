/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network stack as the sockets see it: lwIP brought up on two interfaces, one poller, one timer. Everything runs on whatever thread
 * is in the libOS; nothing here blocks.
 */
#ifndef LIBOS_NET_STACK_H
#define LIBOS_NET_STACK_H

#include "libos/drv/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netif;
struct pbuf;

/* A free bit of lwIP's pcb->flags: a last segment that is not full is held back (TCP_CORK, MSG_MORE). */
#define TF_CORK 0x8000u

/* lwIP has been given something that its timers may have to look after: the tick runs until nothing needs it. */
void net_tick_need(void);

/* eth0, or NULL. */
struct netif *net_eth(void);
/* net/eth.c: frames to and from the device. */
int eth_init(const struct uig_device *dev, const struct net_config *config);
void eth_configure(const struct net_config *config, const uint8_t *mac);

#endif
