/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Macros of lwIP that are replaced before its TCP sources are compiled (net/port/lwip_*.c include those): the lists of pcbs get a hash
 * beside them (net/demux.c), output stops for a corked connection, and tcp_input() becomes lwip_tcp_input(), called by ours.
 */
#ifndef LIBOS_NET_PORT_OVERRIDE_H
#define LIBOS_NET_PORT_OVERRIDE_H

#define tcp_input lwip_tcp_input
#include <lwip/opt.h>
#include <lwip/memp.h>
#include <lwip/priv/tcp_priv.h>

#include "libos/net/demux.h"
#include "libos/net/stack.h"

#undef TCP_REG
#define TCP_REG(pcbs, npcb)                                                                        \
	do {                                                                                       \
		demux_reg((pcbs), (npcb));                                                         \
		tcp_timer_needed();                                                                \
	} while (0)
#undef TCP_RMV
#define TCP_RMV(pcbs, npcb) demux_rmv((pcbs), (npcb))

static inline int net_nagle_says_send(const struct tcp_pcb *pcb)
{
	if ((pcb->flags & TF_CORK) && pcb->unsent && !pcb->unsent->next &&
		pcb->unsent->len < pcb->mss &&
		!(TCPH_FLAGS(pcb->unsent->tcphdr) & (TCP_SYN | TCP_FIN)))
		return 0;
	return tcp_do_output_nagle(pcb);
}
#undef tcp_do_output_nagle
#define tcp_do_output_nagle(pcb) net_nagle_says_send(pcb)

#endif
