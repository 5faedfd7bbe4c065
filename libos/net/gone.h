/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers whose machine is gone. A VM that was killed sends no reset: who waits for its answer would wait for ever, and who asks each connection
 * all the time pays for it when nothing is wrong. Somebody knows: the manager, or who has the address now. They announce the address (an ARP
 * announcement, RFC 5227: sender and target are the same), and the connections with it are asked whether they are still there, at once and
 * in each slow tick (a tenth of a second):
 *
 *      fine --gone_announced()--> in doubt --anything heard--> fine
 *                                    |
 *                                    +-- a reset, or PROBES without an answer --> ended, ETIMEDOUT
 *
 * An announcement is no proof: whoever may send one makes us send one small packet for each connection with that address.
 */
#ifndef LIBOS_NET_GONE_H
#define LIBOS_NET_GONE_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_pcb;

/* ip in network order. */
void gone_announced(uint32_t ip);
/* Before each slow tick of lwIP's. */
void gone_tick(void);
/* It is in doubt: the tick is needed. */
bool gone_doubts(const struct tcp_pcb *pcb);

#endif
