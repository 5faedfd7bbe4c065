/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lwIP's timers, driven by one ktimer that is armed only while something needs it. lwIP counts in ticks of its slow timer; here the
 * count follows the clock: when the tick has been off, tcp_ticks is advanced by the time that passed, before lwIP is given anything.
 *
 * lwIP measures round trips in whole ticks, so that on a fast network its retransmission time becomes 0: before each slow tick it is
 * raised to at least RTO_MIN_TICKS (200 to 300 ms), doubled per retransmission.
 */
#include "libos/net/tick.h"

#include "libos/drv/virtio_net.h"
#include "libos/net/gone.h"
#include "libos/net/nd6.h"
#include "libos/net/stack.h"
#include "libos/sched/thread.h"

#include <lwip/etharp.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/priv/tcp_priv.h>

#define FAST_NS       (TCP_TMR_INTERVAL * 1000000ull)
#define SLOW_NS       (TCP_SLOW_INTERVAL * 1000000ull)
#define SECOND_NS     NS_PER_SEC
#define RTO_MIN_TICKS 3
#define RTO_MAX_TICKS 600 /* a minute */
#define BACKOFF_MAX   8
#define ARP_CATCH_UP  301u /* seconds after which every ARP entry has expired */
#define NEVER         UINT64_MAX

static struct {
	struct ktimer timer;
	bool ready, fast;   /* fast: armed for the next FAST_NS */
	uint64_t slow_at;   /* time of the last slow tick that was counted */
	uint64_t second_at; /* the same for the timers of a second */
	uint64_t aux_until; /* ARP requests or fragments may be under way until then */
} tick;

static void tick_fire(struct ktimer *t);

/* Advances lwIP's clock over the time in which no tick ran. */
static void sync_clock(uint64_t now)
{
	if (!tick.ready) {
		ktimer_init(&tick.timer, tick_fire);
		tick.slow_at = tick.second_at = now;
		tick.ready = true;
	}
	uint64_t n = (now - tick.slow_at) / SLOW_NS;
	tcp_ticks += (u32_t)n;
	tick.slow_at += n * SLOW_NS;
}

void net_tick_need(void)
{
	if (tick.fast)
		return;
	uint64_t now = clock_mono_ns();

	sync_clock(now);
	tick.fast = true;
	ktimer_set(&tick.timer, now + FAST_NS);
}

void tcp_timer_needed(void)
{
	net_tick_need();
}

void net_tick_aux(unsigned seconds)
{
	uint64_t until = clock_mono_ns() + seconds * SECOND_NS;

	if (until > tick.aux_until)
		tick.aux_until = until;
	net_tick_need();
}

/* ---- what a connection needs */

/* lwIP goes by the time since the peer was last heard: after a pause, or with a host that had no time for this VM, that would be more than
 * all probes take, and the connection aborted before one was sent. The time counts only as far as probes have been sent. */
static void adjust_keepalive(struct tcp_pcb *pcb)
{
	u32_t probe_at =
		(pcb->keep_idle + pcb->keep_cnt_sent * pcb->keep_intvl) / TCP_SLOW_INTERVAL;

	if ((pcb->so_options & SOF_KEEPALIVE) && tcp_ticks - pcb->tmr > probe_at)
		pcb->tmr = tcp_ticks - probe_at;
}

static void adjust_pcb(struct tcp_pcb *pcb)
{
	int shift = pcb->nrtx < BACKOFF_MAX ? pcb->nrtx : BACKOFF_MAX;
	int rto_min = RTO_MIN_TICKS << shift;

	if (pcb->rto < rto_min)
		pcb->rto = (s16_t)rto_min;
	if (pcb->rto > RTO_MAX_TICKS) /* lwIP's own limit is 55 minutes */
		pcb->rto = RTO_MAX_TICKS;
	if (pcb->state == ESTABLISHED || pcb->state == CLOSE_WAIT)
		adjust_keepalive(pcb);
	/* Both states end by a timer that a slow reader must not run into while it still gets data. */
	if (pcb->state == FIN_WAIT_1 || (pcb->state == LAST_ACK && (pcb->unsent || pcb->unacked)))
		pcb->tmr = tcp_ticks;
}

/* Held-back data goes out after a tick: nobody forgets a cork for ever. */
static void uncork_pcb(struct tcp_pcb *pcb)
{
	if (!(pcb->flags & TF_CORK) || !pcb->unsent || pcb->unacked)
		return;
	tcp_clear_flags(pcb, TF_CORK);
	tcp_output(pcb);
	tcp_set_flags(pcb, TF_CORK);
}

static uint64_t at_tick(u32_t tick_no)
{
	s32_t left = (s32_t)(tick_no - tcp_ticks);

	return tick.slow_at + (left > 0 ? (uint64_t)left : 1) * SLOW_NS;
}

static uint64_t active_needs(const struct tcp_pcb *pcb, uint64_t now)
{
	uint64_t at = NEVER;

	if ((pcb->flags & (TF_ACK_DELAY | TF_CLOSEPEND)) || pcb->refused_data)
		return now + FAST_NS;
	if (pcb->unacked || pcb->unsent || pcb->ooseq || pcb->persist_backoff || gone_doubts(pcb))
		return tick.slow_at + SLOW_NS;
	if (pcb->state == FIN_WAIT_2 && (pcb->flags & TF_RXCLOSED))
		return at_tick(pcb->tmr + TCP_FIN_WAIT_TIMEOUT / TCP_SLOW_INTERVAL + 1);
	if ((pcb->so_options & SOF_KEEPALIVE) &&
		(pcb->state == ESTABLISHED || pcb->state == CLOSE_WAIT)) {
		u32_t ms = pcb->keep_idle + pcb->keep_cnt_sent * pcb->keep_intvl;
		at = at_tick(pcb->tmr + ms / TCP_SLOW_INTERVAL + 1);
	} else if (pcb->state != ESTABLISHED && pcb->state != CLOSE_WAIT &&
		pcb->state != FIN_WAIT_2) {
		at = tick.slow_at + SLOW_NS;
	}
	return at;
}

static uint64_t next_need(uint64_t now)
{
	uint64_t next = now < tick.aux_until ? tick.second_at + SECOND_NS : NEVER;

	for (struct tcp_pcb *p = tcp_active_pcbs; p; p = p->next) {
		uint64_t at = active_needs(p, now);

		if (at < next)
			next = at;
	}
	for (struct tcp_pcb *p = tcp_tw_pcbs; p; p = p->next) {
		uint64_t at = at_tick(p->tmr + 2 * TCP_MSL / TCP_SLOW_INTERVAL + 1);

		if (at < next)
			next = at;
	}
	return next;
}

/* ---- the tick */

static void run_seconds(uint64_t now)
{
	uint64_t n = (now - tick.second_at) / SECOND_NS;

	tick.second_at += n * SECOND_NS;
	for (uint64_t i = 0; i < n && i < ARP_CATCH_UP; i++) {
		etharp_tmr();
		ip_reass_tmr();
		ip6_reass_tmr();
	}
	if (n > 0)
		nd6_second();
}

static void run_slow(uint64_t now)
{
	uint64_t n = (now - tick.slow_at) / SLOW_NS;

	if (n == 0)
		return;
	tick.slow_at += n * SLOW_NS;
	tcp_ticks += (u32_t)(n - 1); /* tcp_slowtmr() counts one itself */
	gone_tick();
	for (struct tcp_pcb *p = tcp_active_pcbs; p; p = p->next)
		adjust_pcb(p);
	for (struct tcp_pcb *p = tcp_active_pcbs, *next; p; p = next) {
		next = p->next;
		uncork_pcb(p);
	}
	tcp_slowtmr();
}

static void tick_fire(struct ktimer *t)
{
	uint64_t now = clock_mono_ns();

	tick.fast = false;
	vnet_tx_reclaim(); /* lwIP sends nothing again that the device still has */
	tcp_fasttmr();
	run_slow(now);
	run_seconds(now);
	uint64_t at = next_need(now);
	if (at == NEVER)
		return;
	tick.fast = at <= now + FAST_NS;
	ktimer_set(t, at > now + 1000000 ? at : now + 1000000);
}

void net_tick_run(void)
{
	if (ktimer_armed(&tick.timer) && clock_mono_ns() >= tick.timer.deadline) {
		ktimer_cancel(&tick.timer);
		tick_fire(&tick.timer);
	}
}
