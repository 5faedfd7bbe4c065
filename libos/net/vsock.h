/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AF_VSOCK streams (vsock(7)), to the host by virtio-vsock and to sockets of the instance itself (VMADDR_CID_LOCAL). What is read
 * lies in a ring of the socket, as large as the credit that the peer was given; what is sent goes out at once, as far as the peer's
 * credit goes, and the caller waits for the rest: nothing is queued here.
 *
 *   CLOSED --bind, listen--> LISTENING ; LISTENING --REQUEST--> a new socket, OPEN, in its queue
 *   CLOSED --connect--> CONNECTING --RESPONSE--> OPEN --RST, or both sides shut down--> OVER
 *                            +--RST, time-out--> CLOSED
 *
 * `phase` is what Linux keeps beside it for connect, shutdown and names (enum socket_state).
 */
#ifndef LIBOS_NET_VSOCK_H
#define LIBOS_NET_VSOCK_H

#include "abi/virtio.h"
#include "libos/drv/virtio_vsock.h"
#include "libos/net/sock.h"

enum vsock_state { VSOCK_CLOSED, VSOCK_LISTENING, VSOCK_CONNECTING, VSOCK_OPEN, VSOCK_OVER };
enum vsock_phase { PHASE_UNCONNECTED, PHASE_CONNECTING, PHASE_CONNECTED, PHASE_DISCONNECTING };

struct vsock {
	struct sock s;
	enum vsock_state state;
	enum vsock_phase phase;
	uint32_t cid, port;           /* local; VMADDR_CID_ANY, VMADDR_PORT_ANY: not bound */
	uint32_t peer_cid, peer_port; /* where CONNECTING, OPEN or OVER */
	struct list bound, known;     /* in the table of ports; of connections */
	uint32_t peer_shut;           /* VIRTIO_VSOCK_SHUTDOWN_ of the peer */

	/* credit; counters wrap */
	uint32_t peer_alloc, peer_fwd, sent;
	uint32_t got, fwd, fwd_told;

	char *ring; /* size bytes; NULL: nothing has come yet */
	uint32_t size, at, len;
	uint64_t buf_bytes, buf_min, buf_max; /* SO_VM_SOCKETS_BUFFER_* */
	uint32_t ring_bytes; /* the most that the peer was ever told of: the size of the ring */
	uint64_t connect_ns;
	struct ktimer timer; /* of a connect() that does not wait */

	struct list conns, conn_link; /* listening: connections to accept; the link of such a one */
	unsigned nconns, backlog;
};

static inline struct vsock *vsock_of(struct sock *s)
{
	return (struct vsock *)(void *)s;
}

/* vsock.c */
struct vsock *vsock_alloc(void);
void vsock_close(struct sock *s);

/* vsock_in.c: who is where, and what comes in. */
struct vsock *vsock_bound(uint32_t cid, uint32_t port); /* who has the port; NULL: nobody */
void vsock_bind_to(struct vsock *v, uint32_t cid, uint32_t port);
void vsock_know(struct vsock *v); /* puts it into the table of connections */
bool vsock_is_local(uint32_t cid);
/* Sends a packet without data; without memory for it nothing is sent. */
void vsock_tell(struct vsock *v, uint16_t op, uint32_t flags);
/* Fills in the header of a packet with hdr.len bytes of data and sends it. */
void vsock_transmit(struct vsock *v, struct vsock_packet *p);
/* Can a packet of data be sent to it now? */
bool vsock_sendable(struct vsock *v);
/* The peer has gone, or nothing can come of it any more. */
void vsock_over(struct vsock *v);

/* vsock_io.c */
long vsock_send(struct sock *s, struct sock_msg *m);
long vsock_recv(struct sock *s, struct sock_msg *m);
uint32_t vsock_credit(const struct vsock *v);
/* Keeps data of the peer. False: there is no room, which it was told of, or no memory. */
bool vsock_take(struct vsock *v, const char *data, uint32_t n);
/* Makes room for buf_bytes: 0, or -ENOMEM. */
int vsock_grow(struct vsock *v);

/* vsock_opt.c */
int vsock_setopt(struct sock *s, int level, int name, const void *val, unsigned len);
int vsock_getopt(struct sock *s, int level, int name, void *val, unsigned *len);

#endif
