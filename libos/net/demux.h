/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash in front of lwIP's lists of connections. lwIP walks tcp_active_pcbs and tcp_tw_pcbs for each packet (7 us at 1,000
 * connections); here its list macros are replaced (net/port/lwip_*.c) so that every active and TIME_WAIT pcb is in the hash, and before lwIP
 * looks, the right pcb is moved to the head of its list. lwIP itself is not patched.
 */
#ifndef LIBOS_NET_DEMUX_H
#define LIBOS_NET_DEMUX_H

#include <lwip/ip_addr.h>
#include <stdint.h>

struct tcp_pcb;

/* TCP_REG and TCP_RMV of lwIP: put at the head of the list, take out of it. */
void demux_reg(struct tcp_pcb **list, struct tcp_pcb *pcb);
void demux_rmv(struct tcp_pcb **list, struct tcp_pcb *pcb);
/* A pcb is about to be freed: lwIP's slow timer takes pcbs out of the lists without the macros. */
void demux_forget(struct tcp_pcb *pcb);

/* Addresses of type V4 or V6, ports in host order. NULL: none. TIME_WAIT by ->state. */
struct tcp_pcb *demux_find(
	const ip_addr_t *lip, uint16_t lport, const ip_addr_t *rip, uint16_t rport);

#endif
