/* SPDX-License-Identifier: Apache-2.0 */
#include "libos/net/tcp_large.h"

#include "libos/drv/virtio_net.h"
#include "libos/net/stack.h"

#include <lwip/ip.h>
#include <lwip/priv/tcp_priv.h>

#define HEADERS_MAX  (PBUF_LINK_HLEN + 40u + 60u) /* Ethernet, IP, TCP */
#define PAYLOAD_MAX  (0xffffu - HEADERS_MAX)
#define SEGMENTS_MAX 44u
#define MSS_MIN      256u /* a peer that asks for less gets what it asked for */

err_t lwip_tcp_output(struct tcp_pcb *pcb); /* net/port/lwip_tcp_out.c */

static bool is_to_self(const struct tcp_pcb *pcb)
{
	return ip_addr_cmp(&pcb->local_ip, &pcb->remote_ip) || ip_addr_isloopback(&pcb->remote_ip);
}

/* The largest segment: it never shrinks while the connection lives, as lwIP wants it. */
static u16_t segment_max(const struct tcp_pcb *pcb)
{
	unsigned n = PAYLOAD_MAX / pcb->mss, by_window = pcb->snd_wnd_max / 2 / pcb->mss;

	if (pcb->mss < MSS_MIN || !(vnet_tx_tso(IP_IS_V6(&pcb->remote_ip)) || is_to_self(pcb)))
		return pcb->mss;
	n = n < SEGMENTS_MAX ? n : SEGMENTS_MAX;
	n = n < by_window ? n : by_window;
	return (u16_t)(n > 1 ? n * pcb->mss : pcb->mss);
}

err_t net_tcp_write(struct tcp_pcb *pcb, const void *data, u16_t len, u8_t flags)
{
	u16_t mss = pcb->mss;

	pcb->mss = segment_max(pcb);
	err_t err = tcp_write(pcb, data, len, flags);
	pcb->mss = mss;
	return err;
}

/* lwIP 2.1.3 gives the second part the flags of the segment and means to take them from the first, but only sets flags there: a first part
 * with FIN would end the stream in its middle. */
err_t net_split_unsent_seg(struct tcp_pcb *pcb, u16_t split)
{
	struct tcp_seg *first = pcb->unsent, *behind = first ? first->next : NULL;
	u16_t mss = pcb->mss;

	if (split == 0) /* 64 KiB, cut to 16 bits */
		split = mss;
	pcb->mss = 0xffff; /* it is only compared with split */
	err_t err = tcp_split_unsent_seg(pcb, split);
	pcb->mss = mss;
	if (err == ERR_OK && first && first->next != behind)
		TCPH_UNSET_FLAG(first->tcphdr, TCP_FIN | TCP_PSH);
	return err;
}

static void make_first_fit(struct tcp_pcb *pcb)
{
	struct tcp_seg *seg = pcb->unsent;
	int64_t window = LWIP_MIN(pcb->snd_wnd, pcb->cwnd);

	if (!seg || seg->len <= pcb->mss)
		return;
	/* Negative by one when the probe of a closed window was taken. */
	int64_t ahead = (s32_t)(lwip_ntohl(seg->tcphdr->seqno) - pcb->lastack);
	int64_t room = (window - ahead) / pcb->mss * pcb->mss;
	if (ahead + seg->len <= window || room <= 0)
		return;
	if (ahead >= 2 * pcb->mss && room < window / 2)
		return; /* an acknowledgement is sure to come */
	if (net_split_unsent_seg(pcb, (u16_t)room) == ERR_OK || pcb->unacked ||
		pcb->persist_backoff > 0)
		return;
	pcb->persist_cnt = pcb->persist_probe = 0; /* no memory: tried again by this timer */
	pcb->persist_backoff = 1;
}

/* lwIP forgets an acknowledgement that is due when Nagle's rule holds back the data that could have carried it: with data on
 * its way in both directions both ends would wait for each other's time-out. */
err_t tcp_output(struct tcp_pcb *pcb)
{
	if (pcb == tcp_input_pcb)
		return lwip_tcp_output(pcb);
	make_first_fit(pcb);
	err_t err = lwip_tcp_output(pcb);
	if (err == ERR_OK && (pcb->flags & TF_ACK_NOW))
		err = tcp_send_empty_ack(pcb);
	return err;
}

void net_rexmit_rto_commit(struct tcp_pcb *pcb)
{
	make_first_fit(pcb);
	tcp_rexmit_rto_commit(pcb);
}
