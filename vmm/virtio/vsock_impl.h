/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of a vsock device, and the life of a connection:
 *
 *   accept4() -> GREETING --"CONNECT P"--> ASKING --RESPONSE, "OK" --> OPEN
 *   REQUEST   -> DIALING  --connected, RESPONSE --------------------> OPEN
 *
 *   OPEN --SHUTDOWN of both directions from the guest, answered by RST--> DRAINING --all written--> gone
 *   OPEN --the host has closed, SHUTDOWN to the guest--> OPEN without a socket --RST from the guest--> gone
 *   any  --what may not be, or no way to go on--> RESETTING --RST to the guest--> gone
 *   any  --RST from the guest--> gone
 *
 * A connection is on the list `pending` while it has something for the guest: vsock_update() sees to it.
 */
#ifndef VMM_VIRTIO_VSOCK_IMPL_H
#define VMM_VIRTIO_VSOCK_IMPL_H

#include "vmm/io_thread.h"
#include "vmm/virtio/vsock.h"

#include <sys/queue.h>

#define VSOCK_QUEUE_RX    0u
#define VSOCK_QUEUE_TX    1u
#define VSOCK_HASH        256u
#define VSOCK_REPLIES_MAX 64u
#define VSOCK_LINE_MAX    32u /* "CONNECT 4294967295\n" and some */

enum vsock_state {
	VSOCK_GREETING,
	VSOCK_ASKING,
	VSOCK_DIALING,
	VSOCK_OPEN,
	VSOCK_DRAINING,
	VSOCK_RESETTING,
};

/* What the guest has yet to hear, in this order. */
#define VSOCK_WANT_RST      1u
#define VSOCK_WANT_REQUEST  2u
#define VSOCK_WANT_RESPONSE 4u
#define VSOCK_WANT_SHUTDOWN 8u
#define VSOCK_WANT_CREDIT   16u
#define VSOCK_WANT_ASK      32u /* of its credit */

struct vsock_conn {
	TAILQ_ENTRY(vsock_conn) all, pending;
	struct vsock_conn *next_hash; /* unless GREETING or DRAINING */
	enum vsock_state state;
	bool is_pending;
	uint64_t id;
	uint32_t guest_port, host_port;
	int fd; /* owned; -1: none (yet, or any more) */
	unsigned want;

	/* Host to guest. */
	bool readable; /* there may be something to read */
	bool hung_up;  /* the host sends no more: the end comes behind what is there */
	bool gone;     /* the host's program has closed it */
	bool eof;      /* the end was read */
	bool asked;    /* CREDIT_REQUEST was sent, nothing has come */
	uint32_t peer_alloc, peer_fwd, sent;
	uint32_t told_shutdown; /* VIRTIO_VSOCK_SHUTDOWN_ that the guest has heard of */

	/* Guest to host. */
	bool refused;      /* the host takes no more: the rest is dropped */
	uint32_t shutdown; /* what the guest has shut down */
	uint32_t got, fwd, fwd_told;
	uint8_t *buf; /* VSOCK_BUF_BYTES while something waits to be written; else NULL */
	uint32_t buf_at, buf_len;

	char line[VSOCK_LINE_MAX];
	unsigned line_len;
};

TAILQ_HEAD(vsock_list, vsock_conn);

/* The answer to a packet that belongs to no connection. */
struct vsock_reply {
	uint64_t src_cid;
	uint32_t guest_port, host_port;
};

struct vsock_dev {
	struct virtio_dev virtio;
	uint64_t cid;            /* the configuration space */
	int listen_fd, epoll_fd; /* owned; the epoll is the source */
	struct vsock_list all, pending;
	struct vsock_conn *hash[VSOCK_HASH];
	unsigned nconns;
	uint64_t next_id;
	uint32_t next_host_port;
	bool accepting; /* the host may have connected */
	bool starved;   /* the driver has no buffer posted */
	struct vsock_reply reply[VSOCK_REPLIES_MAX];
	unsigned reply_at, nreplies;

	/* vsock_host.c: the thread that connects. */
	struct io_thread dialer;
	unsigned ndials; /* requests that it has, or had and nobody collected */
	int folder_fd;   /* owned */
	char *name;      /* owned */

	uint64_t rx_bytes, tx_bytes, drops; /* to the guest, from it */
};

/* vsock.c: the connection with these ports that the guest knows; NULL: none. */
struct vsock_conn *vsock_find(struct vsock_dev *v, uint32_t guest_port, uint32_t host_port);

/* vsock_conn.c. A new connection, known to the guest by its ports unless it is GREETING; fd is taken (-1: none). NULL: there are too
 * many, fd is closed. */
struct vsock_conn *vsock_conn_new(struct vsock_dev *v, enum vsock_state state, uint32_t guest_port,
	uint32_t host_port, int fd);
void vsock_conn_free(struct vsock_dev *v, struct vsock_conn *c);
/* Gives the connection the ports that the guest knows it by. */
void vsock_conn_hash(struct vsock_dev *v, struct vsock_conn *c);
/* It is over: the guest hears RST, the host sees the end. */
void vsock_conn_reset(struct vsock_dev *v, struct vsock_conn *c);
/* The guest is done with both directions: what it has sent is still written. c may be gone. */
void vsock_conn_drain(struct vsock_dev *v, struct vsock_conn *c);
/* Puts the connection on the list of those that have something for the guest, or not. */
void vsock_update(struct vsock_dev *v, struct vsock_conn *c);
/* Bytes that the guest has room for. */
uint32_t vsock_conn_credit(const struct vsock_conn *c);
/* Data of the guest for the host; false: more than it was allowed. */
bool vsock_conn_write(struct vsock_dev *v, struct vsock_conn *c, const struct iovec *iov,
	unsigned n, uint32_t bytes);
/* Data of the host into the guest's buffer: bytes; 0: none now, or the end (eof), or an error. */
uint32_t vsock_conn_read(
	struct vsock_dev *v, struct vsock_conn *c, const struct iovec *iov, unsigned n);
/* The guest's SHUTDOWN. c may be gone. */
void vsock_conn_shutdown(struct vsock_dev *v, struct vsock_conn *c, uint32_t flags);
/* The socket has news (EPOLL*). c may be gone. */
void vsock_conn_event(struct vsock_dev *v, struct vsock_conn *c, uint32_t events);
/* Waits for hosts that still read what the guest has sent, at most so long. */
void vsock_settle_all(struct vsock_dev *v, int timeout_ms);

/* vsock_host.c. */
int vsock_host_init(struct vsock_dev *v, const struct vsock_setup *setup, struct err *err);
void vsock_host_fini(struct vsock_dev *v);
/* Looks at sockets, accepts, takes what the thread has connected. */
void vsock_host_collect(struct vsock_dev *v);
/* Has the thread connect for a connection that is DIALING. 0 or -errno. */
int vsock_host_dial(struct vsock_dev *v, const struct vsock_conn *c);
/* Reads the line of a connection that is GREETING. c may be gone. */
void vsock_host_greeting(struct vsock_dev *v, struct vsock_conn *c);
/* Tells the host's program that its connection is open. False: it is gone. */
bool vsock_host_confirm(const struct vsock_conn *c);

#endif
