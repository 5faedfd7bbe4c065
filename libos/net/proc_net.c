/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/net: addresses of the interfaces, and the tables of TCP and UDP sockets as Linux prints them (Documentation/networking/proc_net_tcp). */
#include "libos/fs/procfs.h"
#include "libos/klib/string.h"
#include "libos/net/addr.h"
#include "libos/net/iface.h"
#include "libos/net/tcp.h"
#include "libos/net/udp.h"
#include "libos/uapi/netlink.h"

#include <lwip/priv/tcp_priv.h>

#define STATE_CLOSE       7u
#define STATE_ESTABLISHED 1u

int proc_net_if_inet6(struct text *t, uint64_t n)
{
	for (int i = 1; i <= IFACE_MAX; i++) {
		struct iface f;

		if (!iface_get(i, &f))
			continue;
		for (unsigned k = 0; k < f.nip6; k++) {
			const struct iface_ip6 *a = &f.ip6[k];

			for (unsigned b = 0; b < sizeof(a->addr); b++)
				text_printf(t, "%02x", a->addr[b]);
			/* IPV6_ADDR_LOOPBACK and LINKLOCAL, include/net/ipv6.h; the flag: permanent */
			text_printf(t, " %02x %02x %02x 80 %8s\n", (unsigned)f.index, a->prefix,
				a->scope == RT_SCOPE_HOST           ? 0x10
					: a->scope == RT_SCOPE_LINK ? 0x20
								    : 0,
				f.name);
		}
	}
	return 0;
}

static void put_counts(struct text *t, const struct iface *f)
{
	const struct vnet_stats *s = iface_stats(f);

	text_printf(t, "%6s: %7lu %7lu    0 %4lu    0     0          0         0 ", f->name,
		(unsigned long)s->rx_bytes, (unsigned long)s->rx_frames,
		(unsigned long)s->rx_dropped);
	text_printf(t, "%8lu %7lu    0 %4lu    0     0       0          0\n",
		(unsigned long)s->tx_bytes, (unsigned long)s->tx_frames,
		(unsigned long)s->tx_dropped);
}

int proc_net_dev(struct text *t, uint64_t n)
{
	text_printf(t,
		"Inter-|   Receive                                                |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
		"packets errs drop fifo colls carrier compressed\n");
	for (int i = 1; i <= IFACE_MAX; i++) {
		struct iface f;

		if (iface_get(i, &f))
			put_counts(t, &f);
	}
	return 0;
}

struct row {
	ip_addr_t laddr, raddr;
	uint16_t lport, rport;
	unsigned state;
	uint32_t tx, rx;
	uint64_t ino;
};

static void put_address(struct text *t, bool v6, const ip_addr_t *ip, uint16_t port)
{
	uint8_t bytes[16];
	uint32_t word[4];

	addr_bytes6(ip, bytes);
	memcpy(word, bytes, sizeof(word));
	for (unsigned i = v6 ? 0 : 3; i < 4; i++)
		text_printf(t, "%08X", word[i]);
	text_printf(t, ":%04X ", port);
}

static void put_row(struct text *t, bool v6, unsigned *number, const struct row *r)
{
	text_printf(t, "%4u: ", (*number)++);
	put_address(t, v6, &r->laddr, r->lport);
	put_address(t, v6, &r->raddr, r->rport);
	text_printf(t,
		"%02X %08X:%08X 00:00000000 00000000 %5u %8u %lu 1 0000000000000000 100 0 0 10 0\n",
		r->state, r->tx, r->rx, 0u, 0u, (unsigned long)r->ino);
}

static bool shown(const struct sock *s, const ip_addr_t *laddr, bool v6)
{
	return s ? (s->domain == AF_INET6) == v6 : IP_IS_V6(laddr) == v6;
}

static void put_tcp(struct text *t, bool v6, unsigned *number, const struct tcp_pcb *pcb)
{
	struct tcp_sock *s = pcb->callback_arg;

	if (pcb->state == SYN_RCVD || pcb->state == TIME_WAIT)
		s = NULL; /* the listener's; nobody's */
	if (!shown(s ? &s->s : NULL, &pcb->local_ip, v6))
		return;
	struct row r = {
		.laddr = pcb->local_ip,
		.raddr = pcb->remote_ip,
		.lport = pcb->local_port,
		.rport = pcb->remote_port,
		.state = tsock_linux_state(pcb->state),
		.tx = pcb->snd_nxt - pcb->lastack,
		.rx = s ? s->rx_bytes : 0,
		.ino = s ? s->s.ino : 0,
	};
	put_row(t, v6, number, &r);
}

static int tcp_table(struct text *t, bool v6)
{
	unsigned number = 0;

	text_printf(t,
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
		"uid  timeout inode\n");
	for (const struct tcp_pcb_listen *l = tcp_listen_pcbs.listen_pcbs; l; l = l->next) {
		const struct tcp_sock *s = l->callback_arg;
		struct row r = {.laddr = l->local_ip,
			.raddr = addr_any(s->s.domain, false),
			.lport = l->local_port,
			.state = tsock_linux_state(LISTEN),
			.rx = s->queued,
			.ino = s->s.ino};

		if (shown(&s->s, &l->local_ip, v6))
			put_row(t, v6, &number, &r);
	}
	for (const struct tcp_pcb *p = tcp_active_pcbs; p; p = p->next)
		put_tcp(t, v6, &number, p);
	for (const struct tcp_pcb *p = tcp_tw_pcbs; p; p = p->next)
		put_tcp(t, v6, &number, p);
	return 0;
}

int proc_net_tcp(struct text *t, uint64_t n)
{
	return tcp_table(t, false);
}

int proc_net_tcp6(struct text *t, uint64_t n)
{
	return tcp_table(t, true);
}

static int udp_table(struct text *t, bool v6)
{
	unsigned number = 0;

	text_printf(t,
		"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
		"uid  timeout inode ref pointer drops\n");
	for (const struct udp_sock *u = NULL; (u = udp_next(u)) != NULL;) {
		struct row r = {.laddr = u->laddr,
			.raddr = u->raddr,
			.lport = u->bind.port,
			.rport = u->rport,
			.state = u->rport ? STATE_ESTABLISHED : STATE_CLOSE,
			.rx = u->charged,
			.ino = u->s.ino};

		if (u->bind.port != 0 && shown(&u->s, &u->laddr, v6))
			put_row(t, v6, &number, &r);
	}
	return 0;
}

int proc_net_udp(struct text *t, uint64_t n)
{
	return udp_table(t, false);
}

int proc_net_udp6(struct text *t, uint64_t n)
{
	return udp_table(t, true);
}
