/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP sockets on lwIP's raw API. A socket and its pcb live apart: the pcb goes on alone after close() (data in flight, TIME_WAIT), and a
 * pcb that dies (reset, time-out) leaves the socket with pcb = NULL and an error.
 *
 *   CLOSED --connect--> CONNECTING --tcp_connected--> CONNECTED --tsock_died / both ends done--> DONE
 *   CLOSED --listen---> LISTENING ; a child is born CONNECTED (tsock_born) and waits in its listener's queue until accept()
 *   CONNECTING --tsock_died--> CLOSED (connect may be tried again)
 */
#ifndef LIBOS_NET_TCP_H
#define LIBOS_NET_TCP_H

#include "libos/net/ipopt.h"
#include "libos/net/ports.h"
#include "libos/net/sock.h"

#include <lwip/tcp.h>

enum tcp_sock_state {
	TCP_S_CLOSED,
	TCP_S_CONNECTING,
	TCP_S_CONNECTED,
	TCP_S_DONE,
	TCP_S_LISTENING
};

struct tcp_sock {
	struct sock s;
	enum tcp_sock_state state;
	struct tcp_pcb
		*pcb; /* NULL unless connecting, connected, or (as tcp_pcb_listen) listening */
	struct port_bind bind;
	bool autobound; /* by connect(): given back when that fails */
	ip_addr_t laddr, raddr;
	uint16_t lport, rport; /* host order */

	/* received and not yet read: a list of single pbufs by ->next, their tot_len means nothing; read from the front */
	struct pbuf *rx_head, *rx_tail;
	uint32_t rx_bytes;
	bool fin;           /* the peer has sent all */
	bool nospace;       /* a writer or watcher was told that there is no room */
	struct list acking; /* in the list of those whose acknowledgement is due (tcp_ack.c) */
	bool answers;       /* it has sent before the acknowledgement of what it received was */

	/* listening */
	struct list queue;       /* children that wait for accept(), by .link */
	struct list deferring;   /* children that wait for their first data (TCP_DEFER_ACCEPT) */
	struct list link;        /* in one of these of the parent, or in the list of listeners */
	struct tcp_sock *parent; /* while it waits there */
	bool deferred;
	unsigned queued, half_open, backlog; /* of them in queue, handshakes under way */

	/* options, inherited by children */
	bool nodelay, cork, quickack;
	uint32_t keepidle, keepintvl, keepcnt; /* s, s, probes */
	uint32_t user_timeout, defer_accept, syncnt, linger2, maxseg, notsent_lowat;
	struct ip_options ip;
};

static inline struct tcp_sock *tcp_of(struct sock *s)
{
	return (struct tcp_sock *)(void *)s;
}

extern const struct sock_ops tcp_ops;

/* tcp.c */
struct tcp_sock *tsock_alloc(int domain);
void tsock_attach(struct tcp_sock *t,
	struct tcp_pcb *pcb);          /* sets the callbacks, the options and the window */
void tsock_detach(struct tcp_sock *t); /* the pcb goes on without us */
void tsock_apply_options(struct tcp_sock *t);
/* The receive window that the socket's buffer allows: with the answer to a SYN, and (scaled) when the connection is there. */
void tsock_limit_window(const struct tcp_sock *t, struct tcp_pcb *pcb);
struct tcp_sock *tsock_born(struct tcp_sock *parent,
	struct tcp_pcb *pcb);           /* a new connection's socket; NULL: no memory */
int tsock_bind_any(struct tcp_sock *t); /* binds to a free port if it is not bound */
uint32_t tsock_poll(struct sock *s);

/* tcp_io.c */
long tsock_send(struct sock *s, struct sock_msg *m);
long tsock_recv(struct sock *s, struct sock_msg *m);
long tsock_inq(struct sock *s);
long tsock_outq(struct sock *s);
void tsock_rx_drop(struct tcp_sock *t);
bool tsock_writable(const struct tcp_sock *t);
err_t tsock_on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err);
err_t tsock_on_sent(void *arg, struct tcp_pcb *pcb, u16_t len);
void tsock_push(struct tcp_sock *t); /* cork and Nagle as set, then output */

/* tcp_listen.c */
int tsock_listen(struct sock *s, int backlog);
int tsock_accept(struct sock *s, bool nonblock, struct sock **conn);
void tsock_listen_close(struct tcp_sock *t);
void tsock_listen_ready(struct tcp_sock *child); /* a child that waited for data has some */

/* tcp_opt.c */
int tsock_setopt(struct sock *s, int level, int name, const void *val, unsigned len);
int tsock_getopt(struct sock *s, int level, int name, void *val, unsigned *len);
unsigned tsock_linux_state(enum tcp_state state); /* TCP_ESTABLISHED ... of Linux */
void tsock_option_changed(struct sock *s, int name);

#endif
