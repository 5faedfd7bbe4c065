/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments larger than the MSS. Where the device cuts them (TSO), or nobody has to (the instance talks to itself), lwIP builds
 * segments of up to 44 times the MSS and sends each as one packet: it still thinks in segments, and knows nothing of this.
 *
 * lwIP sends a segment only when all of it fits into the window; so here a large one that stands first is split at a multiple of the
 * MSS before lwIP looks, unless so much is in flight that an acknowledgement will make room for it soon.
 */
#ifndef LIBOS_NET_TCP_LARGE_H
#define LIBOS_NET_TCP_LARGE_H

#include <lwip/tcp.h>

/* tcp_write(), into large segments. */
err_t net_tcp_write(struct tcp_pcb *pcb, const void *data, u16_t len, u8_t flags);

/* In place of lwIP's functions in its own sources (net/port/): after a time-out as well, the first segment is made to fit; a split may
 * leave more than an MSS. */
void net_rexmit_rto_commit(struct tcp_pcb *pcb);
err_t net_split_unsent_seg(struct tcp_pcb *pcb, u16_t split);

#endif
