/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening TCP sockets: who gets a SYN, the queue of connections that wait for accept(), SO_REUSEPORT, TCP_DEFER_ACCEPT.
 *
 * lwIP's backlog is 8 bits wide and is not used. A SYN is dropped when the connections that wait and the handshakes under way fill
 * its listener's backlog, or when there are too many handshakes in all (each costs a pcb).
 */
#include "libos/net/tcp_listen.h"

#include "libos/drv/platform.h"
#include "libos/klib/errno.h"
#include "libos/net/addr.h"
#include "libos/net/demux.h"
#include "libos/net/siphash.h"
#include "libos/net/stack.h"
#include "libos/net/tcp.h"
#include "libos/sched/event.h"

#include <lwip/priv/tcp_priv.h>

#define PRIO_HALF_OPEN 1u /* lwIP's pcb->prio marks them */
#define HALF_OPEN_MAX  1024u

static struct list listeners = LIST_INIT(listeners);
static unsigned half_open;

/* ---- a SYN */

/* How well a listener fits: its very address, the wildcard of the version of IP, the wildcard of both. */
enum fit { FIT_ADDRESS, FIT_VERSION, FIT_BOTH, FITS };

static bool match(const struct tcp_sock *t, const ip_addr_t *lip, uint16_t lport, enum fit fit)
{
	if (t->lport != lport)
		return false;
	if (fit == FIT_ADDRESS)
		return addr_same(&t->laddr, lip);
	return addr_is_any(&t->laddr) &&
		IP_GET_TYPE(&t->laddr) ==
		(fit == FIT_VERSION ? IP_GET_TYPE(lip) : (u8_t)IPADDR_TYPE_ANY);
}

static struct tcp_sock *pick(const ip_addr_t *lip, uint16_t lport, uint64_t hash, enum fit fit)
{
	unsigned n = 0;

	list_for_each (t, &listeners, struct tcp_sock, link)
		n += match(t, lip, lport, fit);
	if (n == 0)
		return NULL;
	n = (unsigned)(hash % n);
	list_for_each (t, &listeners, struct tcp_sock, link)
		if (match(t, lip, lport, fit) && n-- == 0)
			return t;
	return NULL;
}

bool tcp_listen_choose(const ip_addr_t *lip, uint16_t lport, const ip_addr_t *rip, uint16_t rport,
	struct tcp_pcb_listen **chosen)
{
	struct {
		uint8_t lip[16], rip[16];
		uint16_t lport, rport;
	} from = {.lport = lport, .rport = rport};
	static const uint64_t key[2] = {0, 0};
	struct tcp_sock *t = NULL;

	addr_bytes6(lip, from.lip);
	addr_bytes6(rip, from.rip);
	uint64_t hash = siphash(key, &from, sizeof(from));
	for (unsigned fit = FIT_ADDRESS; !t && fit < FITS; fit++)
		t = pick(lip, lport, hash, (enum fit)fit);
	*chosen = NULL;
	if (!t)
		return true;
	if (t->queued + t->half_open > t->backlog || half_open >= HALF_OPEN_MAX)
		return false;
	*chosen = (struct tcp_pcb_listen *)(void *)t->pcb;
	return true;
}

/* Until it is established a pcb carries its listener's argument; ->listener is NULL when that has been closed. */
void tcp_listen_syn(struct tcp_pcb *pcb)
{
	struct tcp_sock *parent = pcb->callback_arg;

	pcb->prio = PRIO_HALF_OPEN;
	half_open++;
	parent->half_open++;
}

void tcp_listen_forget(struct tcp_pcb *pcb)
{
	struct tcp_sock *parent = pcb->callback_arg;

	if (pcb->prio != PRIO_HALF_OPEN)
		return;
	pcb->prio = TCP_PRIO_NORMAL;
	half_open--;
	if (pcb->listener)
		parent->half_open--;
}

/* ---- the queue */

static void enqueue(struct tcp_sock *parent, struct tcp_sock *child)
{
	list_add_tail(&parent->queue, &child->link);
	parent->queued++;
	waitq_wake(&parent->s.rq, 1);
	poll_notify(&parent->s.pollable, POLLIN);
}

void tsock_listen_ready(struct tcp_sock *child)
{
	if (!child->deferred)
		return;
	child->deferred = false;
	list_del(&child->link);
	enqueue(child->parent, child);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct tcp_sock *parent = arg, *child;

	if (!pcb || err != ERR_OK)
		return ERR_MEM; /* lwIP had no memory for it */
	tcp_listen_forget(pcb);
	child = tsock_born(parent, pcb);
	if (!child)
		return ERR_MEM; /* it is reset */
	child->parent = parent;
	if (parent->defer_accept > 0) {
		child->deferred = true;
		list_add_tail(&parent->deferring, &child->link);
	} else {
		enqueue(parent, child);
	}
	return ERR_OK;
}

int tsock_accept(struct sock *s, bool nonblock, struct sock **conn)
{
	struct tcp_sock *t = tcp_of(s);
	uint64_t deadline = sock_deadline(s->rcvtimeo);

	for (;;) {
		if (t->state != TCP_S_LISTENING)
			return -EINVAL;
		struct list *first = list_pop(&t->queue);
		if (first) {
			struct tcp_sock *child = container_of(first, struct tcp_sock, link);

			t->queued--;
			child->parent = NULL;
			*conn = &child->s;
			return 0;
		}
		int rc = sock_wait(&s->rq, nonblock, deadline);
		if (rc < 0) {
			if (!list_empty(&t->queue))
				waitq_wake(&s->rq, 1); /* one came together with the signal */
			return rc;
		}
	}
}

/* ---- start and end */

static unsigned clamp_backlog(int backlog)
{
	return (unsigned)backlog > SOMAXCONN ? SOMAXCONN : (unsigned)backlog;
}

static int open_listener(struct tcp_sock *t)
{
	struct tcp_pcb *pcb = tcp_new_ip_type(IP_GET_TYPE(&t->laddr)), *lpcb;

	if (!pcb)
		return -ENOBUFS;
	pcb->local_ip = t->laddr;
	pcb->local_port = t->lport;
	demux_reg(&tcp_bound_pcbs, pcb);
	lpcb = tcp_listen_with_backlog(pcb, 0);
	if (!lpcb) {
		tcp_abort(pcb);
		return -ENOBUFS;
	}
	tcp_arg(lpcb, t);
	tcp_accept(lpcb, on_accept);
	t->pcb = lpcb;
	return 0;
}

/* By IPv4, from outside. */
static bool is_reachable(const struct tcp_sock *t)
{
	const ip_addr_t *at = &t->bind.addr;
	const struct netif *eth = net_eth();

	if (!eth || IP_IS_V6_VAL(*at))
		return false;
	return addr_is_any(at) || ip4_addr_cmp(ip_2_ip4(at), netif_ip4_addr(eth));
}

int tsock_listen(struct sock *s, int backlog)
{
	static bool told;
	struct tcp_sock *t = tcp_of(s);
	int rc = 0;

	if (t->state == TCP_S_LISTENING) {
		t->backlog = clamp_backlog(backlog);
		return 0;
	}
	if (t->state != TCP_S_CLOSED)
		return -EINVAL;
	rc = tsock_bind_any(t);
	if (rc == 0)
		rc = port_listen(&t->bind);
	if (rc == 0)
		rc = open_listener(t);
	if (rc < 0) {
		t->bind.listening = false;
		return rc;
	}
	t->backlog = clamp_backlog(backlog);
	t->state = TCP_S_LISTENING;
	s->shut_rd = s->shut_wr = false;
	s->listening = true;
	list_add_tail(&listeners, &t->link);
	if (!told) {
		event_step(UIG_STEP_LISTEN);
		platform_milestone(UIG_MS_LISTEN, is_reachable(t) ? t->bind.port : 0);
	}
	told = true;
	return 0;
}

static void reset_children(struct list *children)
{
	struct list *l;

	while ((l = list_pop(children)) != NULL) {
		struct tcp_sock *child = container_of(l, struct tcp_sock, link);

		child->parent = NULL;
		child->deferred = false;
		child->s.linger = (struct linger){1, 0};
		child->s.ops->close(&child->s);
	}
}

void tsock_listen_close(struct tcp_sock *t)
{
	struct tcp_pcb *lpcb = t->pcb;

	list_del(&t->link);
	t->pcb = NULL;
	tcp_close(lpcb);
	reset_children(&t->queue);
	reset_children(&t->deferring);
	t->queued = t->half_open = 0;
	t->s.listening = false;
	waitq_wake_all(&t->s.rq);
}
