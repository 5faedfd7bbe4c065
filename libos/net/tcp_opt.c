/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of TCP sockets: SOL_TCP and SOL_IP. What has an effect in lwIP is passed on; what only tunes Linux's own machinery (SYN
 * count, FIN_WAIT_2 time, fast open, congestion control by name) is checked, kept and given back, because programs set it blindly.
 */
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/net/ipopt.h"
#include "libos/net/stack.h"
#include "libos/net/tcp.h"

#include <lwip/priv/tcp_priv.h>

#define TICK_US  (TCP_SLOW_INTERVAL * 1000u)
#define ECN_BITS 3u

static int set_range(uint32_t *field, int v, int min, int max)
{
	if (v < min || v > max)
		return -EINVAL;
	*field = (uint32_t)v;
	return 0;
}

static int set_tcp(struct tcp_sock *t, int name, int v)
{
	switch (name) {
	case TCP_NODELAY:
		t->nodelay = v != 0;
		tsock_apply_options(t);
		if (v)
			tsock_push(t); /* what Nagle held goes now, a cork stays */
		return 0;
	case TCP_CORK:
		t->cork = v != 0;
		net_tick_need();
		tsock_push(t);
		return 0;
	case TCP_QUICKACK:
		t->quickack = v != 0;
		if (v && t->pcb && t->state == TCP_S_CONNECTED && (t->pcb->flags & TF_ACK_DELAY)) {
			tcp_ack_now(t->pcb);
			tcp_output(t->pcb);
		}
		return 0;
	case TCP_KEEPIDLE:
		return set_range(&t->keepidle, v, 1, 32767);
	case TCP_KEEPINTVL:
		return set_range(&t->keepintvl, v, 1, 32767);
	case TCP_KEEPCNT:
		return set_range(&t->keepcnt, v, 1, 127);
	case TCP_SYNCNT:
		return set_range(&t->syncnt, v, 1, 127);
	case TCP_MAXSEG:
		return v == 0 ? 0 : set_range(&t->maxseg, v, 88, 32767);
	case TCP_LINGER2:
		t->linger2 = v < 0 ? 0 : (uint32_t)v;
		return 0;
	case TCP_DEFER_ACCEPT:
		t->defer_accept = v < 0 ? 0 : (uint32_t)v;
		return 0;
	case TCP_USER_TIMEOUT:
		return set_range(&t->user_timeout, v, 0, INT32_MAX);
	case TCP_NOTSENT_LOWAT:
		t->notsent_lowat = (uint32_t)v;
		return 0;
	case TCP_WINDOW_CLAMP:
	case TCP_FASTOPEN:
	case TCP_FASTOPEN_CONNECT:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int tsock_setopt(struct sock *s, int level, int name, const void *val, unsigned len)
{
	struct tcp_sock *t = tcp_of(s);
	int v, rc;

	if (level == SOL_IP || (level == SOL_IPV6 && s->domain == AF_INET6)) {
		if (level == SOL_IPV6 && (name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP))
			return -EPROTO;
		uint8_t ecn = t->ip.tclass & ECN_BITS;

		rc = level == SOL_IP ? ipopt_set(&t->ip, name, val, len)
				     : ip6opt_set(&t->ip, name, val, len, port_bound(&t->bind));
		t->ip.tclass = (t->ip.tclass & (uint8_t)~ECN_BITS) | ecn; /* TCP's own */
		tsock_apply_options(t);
		return rc;
	}
	if (level != SOL_TCP)
		return -ENOPROTOOPT;
	if (name == TCP_CONGESTION) /* there is one */
		return len >= 4 && memcmp(val, "reno", 4) == 0 ? 0 : -ENOENT;
	rc = opt_int(val, len, &v);
	if (rc < 0)
		return rc;
	rc = set_tcp(t, name, v);
	if (rc == 0 && (name == TCP_KEEPIDLE || name == TCP_KEEPINTVL || name == TCP_KEEPCNT))
		tsock_apply_options(t);
	return rc;
}

unsigned tsock_linux_state(enum tcp_state state)
{
	/* include/net/tcp_states.h: 1 ESTABLISHED 2 SYN_SENT 3 SYN_RECV 4 FIN_WAIT1 5 FIN_WAIT2 6 TIME_WAIT 7 CLOSE
	 * 8 CLOSE_WAIT 9 LAST_ACK 10 LISTEN 11 CLOSING */
	static const uint8_t of[] = {
		[CLOSED] = 7,
		[LISTEN] = 10,
		[SYN_SENT] = 2,
		[SYN_RCVD] = 3,
		[ESTABLISHED] = 1,
		[FIN_WAIT_1] = 4,
		[FIN_WAIT_2] = 5,
		[CLOSE_WAIT] = 8,
		[CLOSING] = 11,
		[LAST_ACK] = 9,
		[TIME_WAIT] = 6,
	};

	return of[state];
}

static void fill_info(const struct tcp_sock *t, struct tcp_info *ti)
{
	const struct tcp_pcb *pcb = t->pcb;

	*ti = (struct tcp_info){
		.state = (uint8_t)tsock_linux_state(t->state == TCP_S_LISTENING ? LISTEN
				: pcb                                           ? pcb->state
										: CLOSED)};
	if (!pcb || t->state == TCP_S_LISTENING)
		return;
	ti->retransmits = pcb->nrtx;
	ti->backoff = pcb->nrtx;
	ti->rto = (uint32_t)pcb->rto * TICK_US;
	ti->snd_mss = ti->rcv_mss = ti->advmss = pcb->mss;
	ti->rtt = (uint32_t)(pcb->sa >> 3) * TICK_US;
	ti->rttvar = (uint32_t)(pcb->sv >> 2) * TICK_US;
	ti->snd_ssthresh = pcb->ssthresh / pcb->mss;
	ti->snd_cwnd = pcb->cwnd / pcb->mss;
	ti->rcv_space = pcb->rcv_wnd;
	ti->pmtu = pcb->mss + (IP_IS_V6(&pcb->remote_ip) ? 60u : 40u);
	ti->unacked = (pcb->snd_nxt - pcb->lastack + pcb->mss - 1u) / pcb->mss;
}

static int get_tcp(const struct tcp_sock *t, int name, int *v)
{
	switch (name) {
	case TCP_NODELAY:
		*v = t->nodelay;
		return 0;
	case TCP_CORK:
		*v = t->cork;
		return 0;
	case TCP_QUICKACK:
		*v = t->quickack;
		return 0;
	case TCP_KEEPIDLE:
		*v = (int)t->keepidle;
		return 0;
	case TCP_KEEPINTVL:
		*v = (int)t->keepintvl;
		return 0;
	case TCP_KEEPCNT:
		*v = (int)t->keepcnt;
		return 0;
	case TCP_SYNCNT:
		*v = (int)t->syncnt;
		return 0;
	case TCP_MAXSEG:
		*v = t->state == TCP_S_CONNECTED && t->pcb ? t->pcb->mss
			: t->maxseg                        ? (int)t->maxseg
							   : 536;
		return 0;
	case TCP_LINGER2:
		*v = (int)t->linger2;
		return 0;
	case TCP_DEFER_ACCEPT:
		*v = (int)t->defer_accept;
		return 0;
	case TCP_USER_TIMEOUT:
		*v = (int)t->user_timeout;
		return 0;
	case TCP_NOTSENT_LOWAT:
		*v = (int)t->notsent_lowat;
		return 0;
	case TCP_WINDOW_CLAMP:
	case TCP_FASTOPEN:
	case TCP_FASTOPEN_CONNECT:
		*v = 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int tsock_getopt(struct sock *s, int level, int name, void *val, unsigned *len)
{
	struct tcp_sock *t = tcp_of(s);
	int v = 0, rc;

	if (level == SOL_IP && name == IP_MTU)
		return t->state == TCP_S_CONNECTED ? opt_put_int(val, len, 1500) : -ENOTCONN;
	if (level == SOL_IP)
		return ipopt_get(&t->ip, name, val, len);
	if (level == SOL_IPV6 && s->domain != AF_INET6)
		return -EOPNOTSUPP;
	if (level == SOL_IPV6)
		return name != IPV6_MTU ? ip6opt_get(&t->ip, name, val, len)
			: t->state == TCP_S_CONNECTED
			? opt_put_int(val, len, ip_addr_isloopback(&t->raddr) ? 65536 : 1500)
			: -ENOTCONN;
	if (level != SOL_TCP)
		return -ENOPROTOOPT;
	if (name == TCP_INFO) {
		struct tcp_info ti;

		fill_info(t, &ti);
		*len = *len < sizeof(ti) ? *len : (unsigned)sizeof(ti);
		memcpy(val, &ti, *len);
		return 0;
	}
	if (name == TCP_CONGESTION) {
		*len = *len < 16 ? *len : 16;
		memset(val, 0, *len);
		memcpy(val, "reno", *len < 5 ? *len : 5);
		return 0;
	}
	rc = get_tcp(t, name, &v);
	return rc < 0 ? rc : opt_put_int(val, len, v);
}

void tsock_option_changed(struct sock *s, int name)
{
	struct tcp_sock *t = tcp_of(s);

	if (name == SO_KEEPALIVE)
		tsock_apply_options(t);
	else if (name == SO_SNDBUF && t->nospace && tsock_writable(t))
		sock_writable(s, POLLOUT);
	if (name == SO_REUSEADDR)
		t->bind.reuseaddr = s->reuseaddr;
}
