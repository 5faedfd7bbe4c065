/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A published UDP port: datagrams that come to a socket in the daemon's namespace go to a port of an instance, and what the instance
 * answers goes back to who asked, from the address that was asked. A client (address and port) is a flow with a socket of its
 * own inside, so that the instance can tell clients apart; the flow that was quiet longest makes room for a new one, and one that was
 * quiet for FORWARD_UDP_QUIET_S ends. Datagrams are lost where a socket's buffer is full, as anywhere.
 */
#ifndef DAEMON_NETWORK_FORWARD_UDP_H
#define DAEMON_NETWORK_FORWARD_UDP_H

#include "daemon/network/forward.h"

#define FORWARD_UDP_FLOWS_MAX 256 /* per port */
#define FORWARD_UDP_QUIET_S   60

struct forward_udp;

/* 0, or -errno with err: -EADDRINUSE when the host's port is taken. */
int forward_udp_new(
	const struct forward_config *config, struct forward_udp **forward, struct err *err);
void forward_udp_free(struct forward_udp *forward); /* NULL is fine */
uint16_t forward_udp_port(const struct forward_udp *forward);

#endif
