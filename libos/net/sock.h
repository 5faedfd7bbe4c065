/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket: what all families share. It lives as long as its open file (struct file, priv points here); a call that blocks holds
 * a reference on the file. The family fills in struct sock_ops and embeds struct sock at the start of its own structure.
 */
#ifndef LIBOS_NET_SOCK_H
#define LIBOS_NET_SOCK_H

#include "libos/fs/file.h"
#include "libos/net/cmsg.h"
#include "libos/sched/thread.h"
#include "libos/uapi/socket.h"

#include <stdbool.h>

struct sock;

/* What travels beside data: descriptors and credentials (AF_UNIX), where a datagram was sent to. The files are owned. */
struct sock_ctl {
	unsigned nfiles;
	struct file **file; /* kmalloc'ed */
	bool have_cred;
	struct ucred cred;
	struct cmsg_ip ip; /* AF_INET, AF_INET6 */
};
void sock_ctl_drop(struct sock_ctl *ctl); /* gives the files back */

/* One send or receive. */
struct sock_msg {
	struct iter *it;
	unsigned flags;           /* MSG_ of the call */
	bool nonblock;            /* O_NONBLOCK or MSG_DONTWAIT */
	union sockaddr_any *addr; /* send: destination or NULL; recv: filled in, NULL: not wanted */
	unsigned addr_len;        /* send: its length; recv: out, 0: none */
	struct sock_ctl *
		ctl; /* send: taken over when not NULL; recv: filled in, NULL: not wanted (then dropped) */
	unsigned out_flags; /* recv: MSG_TRUNC, MSG_EOR ... */
};

struct sock_ops {
	/* All return 0 (or a length) or -errno; NULL: -EOPNOTSUPP. Addresses are copies, len was checked against their size. */
	int (*bind)(struct sock *s, const union sockaddr_any *addr, unsigned len);
	int (*connect)(struct sock *s, const union sockaddr_any *addr, unsigned len, bool nonblock);
	int (*listen)(struct sock *s, int backlog);
	int (*accept)(struct sock *s, bool nonblock, struct sock **conn);
	int (*getname)(struct sock *s, bool peer, union sockaddr_any *addr); /* length */
	long (*send)(struct sock *s, struct sock_msg *m);
	long (*recv)(struct sock *s, struct sock_msg *m);
	int (*shutdown)(struct sock *s, int how);
	int (*setopt)(struct sock *s, int level, int name, const void *val,
		unsigned len); /* -ENOPROTOOPT: unknown */
	int (*getopt)(struct sock *s, int level, int name, void *val,
		unsigned *len); /* room for 256 bytes */
	void (*option_changed)(
		struct sock *s, int name); /* SOL_SOCKET option was stored; NULL: nothing to do */
	uint32_t (*poll)(struct sock *s);
	long (*inq)(struct sock *s);   /* FIONREAD */
	long (*outq)(struct sock *s);  /* SIOCOUTQ */
	void (*close)(struct sock *s); /* frees it; must not block */
};

struct sock {
	const struct sock_ops *ops;
	int domain, protocol;
	unsigned type;
	uint64_t ino;
	struct pollable pollable;
	struct waitq rq, wq;   /* waiting to receive or accept; to send or be connected */
	int err;               /* pending error (SO_ERROR), positive; read and cleared */
	bool shut_rd, shut_wr; /* no more to read; no more may be sent */
	bool listening;        /* SO_ACCEPTCONN */
	/* options of SOL_SOCKET */
	bool reuseaddr, reuseport, keepalive, broadcast, passcred, oobinline, timestamp, dontroute,
		debug;
	struct linger linger;
	uint32_t rcvbuf, sndbuf; /* bytes, as getsockopt shows them */
	uint32_t rcvlowat, priority;
	uint64_t rcvtimeo, sndtimeo; /* ns; 0: none */
};

/* Fills in the common part. */
void sock_init(struct sock *s, const struct sock_ops *ops, int domain, unsigned type, int protocol);
/* The file of a socket; on failure the socket is closed. -ENFILE, -ENOMEM. */
int sock_file(struct sock *s, unsigned flags, struct file **file);
/* A new descriptor for the socket; the socket is closed on failure. */
int sock_install(struct sock *s, unsigned sock_flags);
struct sock *sock_of(const struct file *f); /* NULL: not a socket */
/* The socket behind a descriptor, with a reference on its file. -EBADF, -ENOTSOCK. */
int sock_get(int fd, struct file **f, struct sock **s);

/* Wakes readers or writers and tells watchers of these events. */
void sock_readable(struct sock *s, uint32_t events);
void sock_writable(struct sock *s, uint32_t events);
/* Reads and clears the pending error: 0 or -errno. */
int sock_error(struct sock *s);

/* Deadline for a wait from a time-out option; 0 is forever. */
uint64_t sock_deadline(uint64_t timeo);
/* One wait in a loop: 0 look again; -EAGAIN when it must not block or its time is up; -EINTR. */
int sock_wait(struct waitq *q, bool nonblock, uint64_t deadline);
/* -EPIPE, with SIGPIPE unless MSG_NOSIGNAL. */
int sock_epipe(const struct sock_msg *m);

/* The next run of bytes of an iter as a pointer that is good until the thread blocks; *n is at most max. NULL: bad address. */
void *sock_span(struct iter *it, size_t max, bool write, size_t *n);
void sock_advance(struct iter *it, size_t n);

/* The families. 0 or -errno; *s has one owner, the caller. */
int tcp_sock_new(int domain, struct sock **s); /* AF_INET or AF_INET6 */
int udp_sock_new(int domain, struct sock **s);
int unix_sock_new(unsigned type, struct sock **s);
int unix_sock_pair(unsigned type, struct sock *pair[2]);
int vsock_sock_new(unsigned type, struct sock **s);
int netlink_sock_new(unsigned type, int protocol, struct sock **s);

/* net/ifreq.c: SIOCGIF*; -ENOTTY when cmd is none of them. */
long net_ifreq(unsigned cmd, uptr_t arg);

/* net/sockopt.c: SOL_SOCKET. */
int sock_setopt(struct sock *s, int name, const void *val, unsigned len);
int sock_getopt(struct sock *s, int name, void *val, unsigned *len);

/* Values of integer options that came from the program. -EINVAL when too short. */
int opt_int(const void *val, unsigned len, int *out);
int opt_put_int(void *val, unsigned *len, int value);

#endif
