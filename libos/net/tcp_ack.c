/* SPDX-License-Identifier: Apache-2.0 */
#include "libos/net/tcp_ack.h"

#include "libos/net/tcp.h"
#include "libos/sched/thread.h"

#include <lwip/priv/tcp_priv.h>

#define DUE_NS 100000u

static struct list due = LIST_INIT(due); /* of tcp_sock.acking */
static uint64_t due_since;

static void make_due(struct tcp_sock *t)
{
	if (!list_empty(&t->acking))
		return;
	if (list_empty(&due))
		due_since = clock_mono_ns();
	list_add_tail(&due, &t->acking);
}

/* lwIP's delay flag stays set meanwhile: whatever is sent takes the acknowledgement along and clears it. */
err_t net_input_output(struct tcp_pcb *pcb)
{
	struct tcp_sock *t = pcb->callback_arg; /* before there is one, the listener's */

	if (t && pcb->state == SYN_RCVD && t->s.rcvbuf < pcb->rcv_wnd)
		tsock_limit_window(t, pcb);
	if (t && pcb->state == ESTABLISHED && (pcb->flags & TF_ACK_NOW) && !pcb->ooseq &&
		t->rx_bytes > 0) {
		tcp_clear_flags(pcb, TF_ACK_NOW);
		tcp_set_flags(pcb, TF_ACK_DELAY);
		make_due(t);
	}
	return tcp_output(pcb);
}

static uint32_t announced(const struct tcp_pcb *pcb)
{
	s32_t left = (s32_t)(pcb->rcv_ann_right_edge - pcb->rcv_nxt);

	return left > 0 ? (uint32_t)left : 0;
}

/* lwIP's function takes 16 bits: what is more is added before. It never sends by itself (TCP_WND_UPDATE_THRESHOLD). */
void tcp_ack_read(struct tcp_sock *t, uint32_t n)
{
	u16_t last = n < 0xffff ? (u16_t)n : 0xffff;
	struct tcp_pcb *pcb = t->pcb;

	if (!pcb)
		return;
	pcb->rcv_wnd += n - last;
	tcp_recved(pcb, last);
	/* lwIP has announced the whole window (of the next segment) if that is worth it: no silly windows. */
	if (pcb->rcv_ann_wnd == pcb->rcv_wnd && pcb->rcv_wnd >= 2 * announced(pcb)) {
		tcp_ack_now(pcb);
		tcp_output(pcb);
	} else if (t->rx_bytes == 0 && !t->answers && (pcb->flags & TF_ACK_DELAY)) {
		make_due(t); /* all is read, and nobody answers: why wait for the timer */
	}
}

void tcp_ack_forget(struct tcp_sock *t)
{
	list_del(&t->acking);
}

void tcp_ack_flush(void)
{
	struct list *link;

	while ((link = list_pop(&due))) {
		struct tcp_sock *t = container_of(link, struct tcp_sock, acking);

		if (!t->pcb || !(t->pcb->flags & TF_ACK_DELAY))
			continue;
		tcp_ack_now(t->pcb);
		tcp_output(t->pcb);
	}
}

void tcp_ack_flush_old(void)
{
	if (!list_empty(&due) && clock_mono_ns() - due_since > DUE_NS)
		tcp_ack_flush();
}
