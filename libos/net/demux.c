/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection hash, and lwIP's tcp_input() between a look into it and a restoration of the lists.
 *
 * Invariant: a pcb is in the hash exactly while it is on tcp_active_pcbs or tcp_tw_pcbs; ext_args[0].data is then its predecessor on that
 * list (NULL: head), ext_args[1].data its successor in the hash chain. When a packet belongs to no active (or waiting) connection the
 * list is taken away while lwIP searches, and put back behind whatever was added meanwhile.
 *
 * A SYN for a connection in TIME_WAIT with a higher sequence number ends the TIME_WAIT (RFC 6191, RFC 1122 4.2.2.13): lwIP itself would
 * answer with an ACK and make the client wait for its retransmission.
 */
#include "libos/net/demux.h"

#include "libos/klib/random.h"
#include "libos/net/addr.h"
#include "libos/net/stack.h"
#include "libos/net/tcp_listen.h"

#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>

#define BUCKETS 4096u

void lwip_tcp_input(struct pbuf *p, struct netif *inp); /* net/port/lwip_tcp_in.c */

static struct tcp_pcb *bucket[BUCKETS];
static uint64_t hash_key;

#define prev_of(pcb)  ((pcb)->ext_args[0].data)
#define chain_of(pcb) ((pcb)->ext_args[1].data)

static uint64_t mix(uint64_t h)
{
	h *= 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static struct tcp_pcb **bucket_of(
	const ip_addr_t *lip, uint16_t lport, const ip_addr_t *rip, uint16_t rport)
{
	const u32_t *l = ip_2_ip6(lip)->addr, *r = ip_2_ip6(rip)->addr; /* IPv4: the first word */
	uint64_t h = ((uint64_t)r[0] << 32 | l[0]) ^ hash_key;

	if (IP_IS_V6_VAL(*lip))
		for (unsigned i = 1; i < 4; i++)
			h = mix(h) ^ ((uint64_t)r[i] << 32 | l[i]);
	h = mix(h ^ ((uint64_t)rport << 16 | lport));
	h *= 0xbf58476d1ce4e5b9ull;
	return &bucket[h >> 52];
}

static struct tcp_pcb **bucket_of_pcb(const struct tcp_pcb *pcb)
{
	return bucket_of(&pcb->local_ip, pcb->local_port, &pcb->remote_ip, pcb->remote_port);
}

static bool is_hashed_list(struct tcp_pcb **list)
{
	return list == &tcp_active_pcbs || list == &tcp_tw_pcbs;
}

/* Takes the pcb out of its chain; false when it was not there. */
static bool unhash(struct tcp_pcb *pcb)
{
	struct tcp_pcb **head = bucket_of_pcb(pcb), *prev = NULL, *p = *head;

	for (; p && p != pcb; p = chain_of(p))
		prev = p;
	if (!p)
		return false;
	if (prev)
		chain_of(prev) = chain_of(pcb);
	else
		*head = chain_of(pcb);
	chain_of(pcb) = NULL;
	return true;
}

static void push(struct tcp_pcb **list, struct tcp_pcb *pcb)
{
	pcb->next = *list;
	prev_of(pcb) = NULL;
	if (pcb->next)
		prev_of(pcb->next) = pcb;
	*list = pcb;
}

static void unlink_pcb(struct tcp_pcb **list, struct tcp_pcb *pcb)
{
	struct tcp_pcb *prev = prev_of(pcb);

	if (prev)
		prev->next = pcb->next;
	else
		*list = pcb->next;
	if (pcb->next)
		prev_of(pcb->next) = prev;
	prev_of(pcb) = NULL;
}

void demux_reg(struct tcp_pcb **list, struct tcp_pcb *pcb)
{
	if (!is_hashed_list(list)) {
		pcb->next = *list;
		*list = pcb;
		return;
	}
	if (hash_key == 0)
		random_bytes(&hash_key, sizeof(hash_key));
	push(list, pcb);
	struct tcp_pcb **b = bucket_of_pcb(pcb);
	chain_of(pcb) = *b;
	*b = pcb;
}

void demux_rmv(struct tcp_pcb **list, struct tcp_pcb *pcb)
{
	if (is_hashed_list(list)) {
		unhash(pcb);
		unlink_pcb(list, pcb);
	} else {
		struct tcp_pcb **at = list;

		while (*at && *at != pcb)
			at = &(*at)->next;
		if (*at)
			*at = pcb->next;
	}
	pcb->next = NULL;
}

void demux_forget(struct tcp_pcb *pcb)
{
	tcp_listen_forget(pcb);
	/* Still hashed: lwIP has already bridged the `next` pointers over it. */
	if (unhash(pcb) && pcb->next)
		prev_of(pcb->next) = prev_of(pcb);
}

struct tcp_pcb *demux_find(
	const ip_addr_t *lip, uint16_t lport, const ip_addr_t *rip, uint16_t rport)
{
	for (struct tcp_pcb *p = *bucket_of(lip, lport, rip, rport); p; p = chain_of(p))
		if (p->local_port == lport && p->remote_port == rport &&
			addr_same(&p->remote_ip, rip) && addr_same(&p->local_ip, lip))
			return p;
	return NULL;
}

static void move_to_head(struct tcp_pcb **list, struct tcp_pcb *pcb)
{
	if (*list == pcb)
		return;
	unlink_pcb(list, pcb);
	push(list, pcb);
}

/* Puts `rest` back behind what was added to an empty list. */
static void append(struct tcp_pcb **list, struct tcp_pcb *rest)
{
	struct tcp_pcb *tail = NULL;

	if (!rest)
		return;
	while (*list) {
		tail = *list;
		list = &tail->next;
	}
	*list = rest;
	prev_of(rest) = tail;
}

/* Passes a SYN that belongs to no connection to the one listener that shall have it. */
static void input_syn(struct pbuf *p, struct netif *inp, const struct tcp_hdr *th)
{
	struct tcp_pcb_listen *chosen = NULL, *head = tcp_listen_pcbs.listen_pcbs, *next;

	if (!tcp_listen_choose(ip_current_dest_addr(), lwip_ntohs(th->dest), ip_current_src_addr(),
		    lwip_ntohs(th->src), &chosen)) {
		pbuf_free(p); /* its queue is full: the client tries again */
		return;
	}
	if (!chosen) {
		lwip_tcp_input(p, inp); /* nobody listens: a reset */
		return;
	}
	next = chosen->next;
	chosen->next = NULL;
	tcp_listen_pcbs.listen_pcbs = chosen;
	lwip_tcp_input(p, inp);
	if (tcp_active_pcbs) /* hidden by our caller: the new connection is alone on it */
		tcp_listen_syn(tcp_active_pcbs);
	tcp_listen_pcbs.listen_pcbs = head;
	chosen->next = next;
}

static bool is_plain_syn(const struct tcp_hdr *th)
{
	return (TCPH_FLAGS(th) & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* Is the whole header in the first buffer, and does each option end inside it? lwIP's parser takes both for granted and reads a
 * byte further otherwise. */
static bool header_ok(const struct pbuf *p)
{
	const unsigned char *h = p->payload;

	if (p->len < TCP_HLEN)
		return false;
	size_t end = TCPH_HDRLEN_BYTES((const struct tcp_hdr *)p->payload), at = TCP_HLEN;
	if (end < TCP_HLEN || end > p->len)
		return false;
	while (at < end && h[at] != LWIP_TCP_OPT_EOL) {
		if (h[at] == LWIP_TCP_OPT_NOP) {
			at++;
			continue;
		}
		if (at + 1 >= end || h[at + 1] < 2 || h[at + 1] > end - at)
			return false;
		at += h[at + 1];
	}
	return true;
}

/*
 * Passes a segment to its connection. An acknowledgement without data at a closed window is in order (RFC 9293, 3.10.7.4), also from
 * behind a probe's byte: lwIP would answer it with an acknowledgement, and with both windows closed two of them would go on for ever.
 */
static void input_active(struct pbuf *p, struct netif *inp, struct tcp_pcb *pcb)
{
	const struct tcp_hdr *th = p->payload;
	unsigned data = p->tot_len - TCPH_HDRLEN_BYTES(th);
	bool plain_ack = data == 0 && (TCPH_FLAGS(th) & (TCP_SYN | TCP_FIN | TCP_RST)) == 0;
	u32_t beyond = lwip_ntohl(th->seqno) - pcb->rcv_nxt - pcb->rcv_wnd;
	ip_addr_t lip = pcb->local_ip, rip = pcb->remote_ip;
	uint16_t lport = pcb->local_port, rport = pcb->remote_port;

	/* More than one full segment is acknowledged at once (RFC 5681, 4.2), also when they came merged into one: as if one were
	 * waiting for its acknowledgement already. */
	if (data > TCP_MSS)
		tcp_set_flags(pcb, TF_ACK_DELAY);
	move_to_head(&tcp_active_pcbs, pcb);
	if (!plain_ack || beyond > 1) {
		lwip_tcp_input(p, inp);
		return;
	}
	pcb->rcv_wnd += 2;
	lwip_tcp_input(p, inp);
	if (demux_find(&lip, lport, &rip, rport) == pcb && pcb->state != TIME_WAIT)
		pcb->rcv_wnd -= 2;
}

/* Seen by lwIP's ip4.c and ip6.c. */
void tcp_input(struct pbuf *p, struct netif *inp)
{
	const struct tcp_hdr *th = p->payload;

	if (!header_ok(p)) {
		pbuf_free(p);
		return;
	}
	struct tcp_pcb *pcb = demux_find(ip_current_dest_addr(), lwip_ntohs(th->dest),
		ip_current_src_addr(), lwip_ntohs(th->src));
	if (pcb && pcb->state == TIME_WAIT && is_plain_syn(th) &&
		TCP_SEQ_GT(lwip_ntohl(th->seqno), pcb->rcv_nxt)) {
		tcp_pcb_remove(&tcp_tw_pcbs, pcb);
		tcp_free(pcb);
		pcb = NULL;
	}
	if (pcb && pcb->state != TIME_WAIT) {
		input_active(p, inp, pcb);
		return;
	}
	struct tcp_pcb *active = tcp_active_pcbs, *waiting = NULL;
	tcp_active_pcbs = NULL;
	if (pcb) {
		move_to_head(&tcp_tw_pcbs, pcb);
	} else {
		waiting = tcp_tw_pcbs;
		tcp_tw_pcbs = NULL;
	}
	if (!pcb && is_plain_syn(th))
		input_syn(p, inp, th);
	else
		lwip_tcp_input(p, inp);
	append(&tcp_active_pcbs, active);
	append(&tcp_tw_pcbs, waiting);
}
