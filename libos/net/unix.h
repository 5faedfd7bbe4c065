/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AF_UNIX sockets: stream, datagram, seqpacket. A socket that others are connected to keeps them on a list (`pointing`), so that no
 * pointer outlives its end: close() walks the list. Streams and seqpackets point at each other, datagram sockets need not.
 *
 *   NEW --bind, listen--> LISTENING ; NEW --connect, socketpair--> CONNECTED --peer closed--> GONE
 */
#ifndef LIBOS_NET_UNIX_H
#define LIBOS_NET_UNIX_H

#include "libos/net/sock.h"

struct inode;

enum unix_state { UNIX_NEW, UNIX_LISTENING, UNIX_CONNECTED, UNIX_GONE };

#define UNIX_NAME_MAX 108u

struct unix_name {
	unsigned len; /* bytes of path; 0: unnamed */
	char path[UNIX_NAME_MAX + 1];
};

struct unix_msg {
	struct list link;
	uint32_t len, off; /* off: read so far (stream) */
	struct sock_ctl ctl;
	struct unix_name *from; /* datagrams of a named sender; owned */
	char data[];
};

struct unix_sock {
	struct sock s;
	enum unix_state state;
	struct unix_sock *peer; /* where send() goes */
	bool peer_gone;         /* a datagram socket's peer has ended: told by the next send() */
	struct list pointing, link; /* sockets whose peer this is; link in the peer's list */
	struct unix_name name;
	struct inode *inode; /* of a path name */
	struct list named;   /* in the table of abstract names */
	struct list queue;   /* of unix_msg, not yet read */
	uint32_t queued_bytes, queued_msgs;
	struct waitq room;            /* senders that wait until this queue has room */
	struct list conns, conn_link; /* listening: connections to accept; the link of such a one */
	unsigned nconns, backlog;
	struct waitq accept_room; /* connect() that waits for room in conns */
};

static inline struct unix_sock *unix_of(struct sock *s)
{
	return (struct unix_sock *)(void *)s;
}

/* unix.c */
struct unix_sock *unix_alloc(unsigned type);
void unix_point(struct unix_sock *from, struct unix_sock *to); /* from->peer = to */
void unix_unpoint(struct unix_sock *from);

/* unix_name.c */
int unix_bind(struct sock *s, const union sockaddr_any *addr, unsigned len);
void unix_unbind(struct unix_sock *u);
int unix_find(const union sockaddr_any *addr, unsigned len, unsigned type,
	struct unix_sock **found);                                         /* borrowed */
int unix_put_name(const struct unix_name *name, union sockaddr_any *addr); /* length */

/* unix_io.c */
long unix_send(struct sock *s, struct sock_msg *m);
long unix_recv(struct sock *s, struct sock_msg *m);
void unix_drop_queue(struct unix_sock *u);
bool unix_has_room(const struct unix_sock *from, const struct unix_sock *to);
long unix_inq(struct sock *s);

#endif
