/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets as the demultiplexer sees them. */
#ifndef LIBOS_NET_TCP_LISTEN_H
#define LIBOS_NET_TCP_LISTEN_H

#include <lwip/ip_addr.h>
#include <stdbool.h>
#include <stdint.h>

struct tcp_pcb;
struct tcp_pcb_listen;

/* Who gets a SYN (ports in host order): *chosen is one of the listeners, by SO_REUSEPORT's hash when there are
 * several, or NULL when nobody listens. False: it shall be dropped, the queue is full. */
bool tcp_listen_choose(const ip_addr_t *lip, uint16_t lport, const ip_addr_t *rip, uint16_t rport,
	struct tcp_pcb_listen **chosen);

/* A handshake has begun on this pcb; it is over, or the pcb is about to be freed. */
void tcp_listen_syn(struct tcp_pcb *pcb);
void tcp_listen_forget(struct tcp_pcb *pcb);

#endif
