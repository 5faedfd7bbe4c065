/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP sets keep_cnt_sent to 0 with whatever it hears on a connection; that is how doubts go. */
#include "libos/net/gone.h"

#include "libos/net/stack.h"

#include <lwip/priv/tcp_priv.h>

#define PROBES      15
#define SOF_DOUBTED 0x80u /* a free bit of lwIP's pcb->so_options */

_Static_assert((SOF_DOUBTED & (SOF_REUSEADDR | SOF_KEEPALIVE | SOF_BROADCAST)) == 0, "it is free");

bool gone_doubts(const struct tcp_pcb *pcb)
{
	return pcb->so_options & SOF_DOUBTED;
}

/* The connection is made, and its end does not come by another timer. */
static bool may_wait_for_ever(const struct tcp_pcb *pcb)
{
	return pcb->state == ESTABLISHED || pcb->state == CLOSE_WAIT || pcb->state == FIN_WAIT_1 ||
		pcb->state == FIN_WAIT_2;
}

static bool is_with(const struct tcp_pcb *pcb, uint32_t ip)
{
	return IP_IS_V4_VAL(pcb->remote_ip) && ip_2_ip4(&pcb->remote_ip)->addr == ip;
}

static void probe(struct tcp_pcb *pcb)
{
	if (tcp_keepalive(pcb) == ERR_OK)
		pcb->keep_cnt_sent++;
}

void gone_announced(uint32_t ip)
{
	for (struct tcp_pcb *p = tcp_active_pcbs; p; p = p->next) {
		if (!is_with(p, ip) || !may_wait_for_ever(p) || gone_doubts(p))
			continue;
		ip_set_option(p, SOF_DOUBTED);
		p->keep_cnt_sent = 0;
		probe(p);
		net_tick_need();
	}
}

static bool is_gone(const struct tcp_pcb *pcb)
{
	return gone_doubts(pcb) && pcb->keep_cnt_sent >= PROBES && may_wait_for_ever(pcb);
}

/* A connection that ends may take others along: from the beginning after each. So nobody is asked in this round. */
static void end_all(void)
{
	for (struct tcp_pcb *p = tcp_active_pcbs; p;) {
		if (!is_gone(p)) {
			p = p->next;
			continue;
		}
		tcp_abort(p);
		p = tcp_active_pcbs;
	}
}

void gone_tick(void)
{
	end_all();
	for (struct tcp_pcb *p = tcp_active_pcbs; p; p = p->next) {
		if (!gone_doubts(p))
			continue;
		if (p->keep_cnt_sent == 0 || !may_wait_for_ever(p))
			ip_reset_option(p, SOF_DOUBTED);
		else
			probe(p);
	}
}
