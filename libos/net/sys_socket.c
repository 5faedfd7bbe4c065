/* SPDX-License-Identifier: Apache-2.0 */
/* System calls that make, name, connect and end sockets. Those that carry data are in sys_msg.c, options in sockopt.c. */
#include "libos/klib/errno.h"
#include "libos/net/addr.h"
#include "libos/net/sock.h"
#include "libos/sys/cred.h"
#include "libos/sys/syscall.h"

#define O_NONBLOCK        SOCK_NONBLOCK
#define PORT_UNPRIVILEGED 1024u

static int inet_new(int domain, unsigned type, int protocol, struct sock **s)
{
	switch (type) {
	case SOCK_STREAM:
		return protocol == 0 || protocol == IPPROTO_TCP ? tcp_sock_new(domain, s)
								: -EPROTONOSUPPORT;
	case SOCK_DGRAM:
		return protocol == 0 || protocol == IPPROTO_UDP ? udp_sock_new(domain, s)
								: -EPROTONOSUPPORT;
	case SOCK_RAW:
		return -EPROTONOSUPPORT;
	default:
		return -ESOCKTNOSUPPORT;
	}
}

long sys_socket(const uint64_t a[6])
{
	int domain = (int)a[0], protocol = (int)a[2], rc;
	unsigned type = (unsigned)a[1] & SOCK_TYPE_MASK, flags = (unsigned)a[1] & ~SOCK_TYPE_MASK;
	struct sock *s;

	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	if (domain < 0 || domain >= AF_MAX)
		return -EAFNOSUPPORT;
	if (type == 0 || type > SOCK_PACKET)
		return -EINVAL;
	switch (domain) {
	case AF_INET:
	case AF_INET6:
		rc = inet_new(domain, type, protocol, &s);
		break;
	case AF_UNIX:
		rc = protocol == 0 || protocol == AF_UNIX ? unix_sock_new(type, &s)
							  : -EPROTONOSUPPORT;
		break;
	case AF_VSOCK:
		rc = protocol == 0 || protocol == AF_VSOCK ? vsock_sock_new(type, &s)
							   : -EPROTONOSUPPORT;
		break;
	case AF_NETLINK:
		rc = netlink_sock_new(type, protocol, &s);
		break;
	default:
		return -EAFNOSUPPORT;
	}
	return rc < 0 ? rc : sock_install(s, flags);
}

/* Sockets of the Internet have no pairs: which error says so follows from whether there is such a socket at all. */
static long no_pair(unsigned type, int protocol)
{
	if (type > SOCK_PACKET)
		return -EINVAL;
	if ((type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP)) ||
		(type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP)))
		return -EOPNOTSUPP;
	return type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_RAW ? -EPROTONOSUPPORT
									     : -ESOCKTNOSUPPORT;
}

long sys_socketpair(const uint64_t a[6])
{
	int domain = (int)a[0], fd[2];
	unsigned type = (unsigned)a[1] & SOCK_TYPE_MASK, flags = (unsigned)a[1] & ~SOCK_TYPE_MASK;
	struct sock *pair[2];

	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	if (domain == AF_INET || domain == AF_INET6)
		return no_pair(type, (int)a[2]);
	if (domain != AF_UNIX)
		return domain == AF_NETLINK || domain == AF_VSOCK ? -EOPNOTSUPP : -EAFNOSUPPORT;
	if (a[2] != 0 && a[2] != AF_UNIX)
		return -EPROTONOSUPPORT;
	int rc = unix_sock_pair(type, pair);
	if (rc < 0)
		return rc;
	fd[0] = sock_install(pair[0], flags);
	if (fd[0] < 0) {
		pair[1]->ops->close(pair[1]);
		return fd[0];
	}
	fd[1] = sock_install(pair[1], flags);
	if (fd[1] < 0) {
		fd_close(fd[0]);
		return fd[1];
	}
	rc = put_user(a[3], &fd);
	if (rc < 0) {
		fd_close(fd[0]);
		fd_close(fd[1]);
	}
	return rc;
}

/* Ports below 1024 are for who has CAP_NET_BIND_SERVICE (ip(7)). */
static bool may_bind(const struct sock *s, const union sockaddr_any *addr)
{
	uint16_t port = __builtin_bswap16(addr->in.sin_port);

	return (s->domain != AF_INET && s->domain != AF_INET6) || !port ||
		port >= PORT_UNPRIVILEGED || cred_has(CAP_NET_BIND_SERVICE);
}

/* bind and connect: the address is copied before the socket is looked at. */
static long with_addr(const uint64_t a[6], bool connect)
{
	union sockaddr_any addr;
	struct file *f;
	struct sock *s;
	int rc = sock_get((int)a[0], &f, &s);

	if (rc < 0)
		return rc;
	rc = (int)a[2] < 0 ? -EINVAL : addr_from_user(&addr, a[1], (uint32_t)a[2]);
	if (rc == 0 && connect)
		rc = s->ops->connect
			? s->ops->connect(s, &addr, (uint32_t)a[2], f->flags & O_NONBLOCK)
			: -EOPNOTSUPP;
	else if (rc == 0 && (uint32_t)a[2] >= sizeof(addr.in) && !may_bind(s, &addr))
		rc = -EACCES;
	else if (rc == 0)
		rc = s->ops->bind ? s->ops->bind(s, &addr, (uint32_t)a[2]) : -EOPNOTSUPP;
	file_put(f);
	return rc;
}

long sys_bind(const uint64_t a[6])
{
	return with_addr(a, false);
}

long sys_connect(const uint64_t a[6])
{
	return with_addr(a, true);
}

long sys_listen(const uint64_t a[6])
{
	struct file *f;
	struct sock *s;
	int rc = sock_get((int)a[0], &f, &s);

	if (rc < 0)
		return rc;
	rc = s->ops->listen ? s->ops->listen(s, (int)a[1]) : -EOPNOTSUPP;
	file_put(f);
	return rc;
}

static long put_name(struct sock *s, bool peer, uptr_t to, uptr_t lenp)
{
	union sockaddr_any addr;
	int n = s->ops->getname(s, peer, &addr);

	return n < 0 ? n : addr_to_user(&addr, (unsigned)n, to, lenp);
}

static long accept_on(const uint64_t a[6], unsigned flags)
{
	struct file *f, *cf;
	struct sock *s, *conn;
	long rc = sock_get((int)a[0], &f, &s);

	if (rc < 0)
		return rc;
	if (!fd_room()) /* before a connection is taken from the queue */
		rc = -EMFILE;
	else
		rc = s->ops->accept ? s->ops->accept(s, f->flags & O_NONBLOCK, &conn) : -EOPNOTSUPP;
	file_put(f);
	if (rc < 0)
		return rc;
	rc = sock_file(conn, flags, &cf);
	if (rc < 0)
		return rc;
	if (a[1]) {
		rc = put_name(conn, true, a[1], a[2]);
		if (rc == -ENOTCONN) { /* it is gone already: the descriptor will say so */
			union sockaddr_any none = {.family = (uint16_t)conn->domain};
			rc = addr_to_user(&none,
				conn->domain == AF_INET6 ? sizeof(none.in6) : sizeof(none.in), a[1],
				a[2]);
		}
	}
	if (rc >= 0)
		rc = fd_install(cf, (flags & SOCK_CLOEXEC) != 0);
	if (rc < 0)
		file_put(cf);
	return rc;
}

long sys_accept(const uint64_t a[6])
{
	return accept_on(a, 0);
}

long sys_accept4(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[3];

	return flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC) ? -EINVAL : accept_on(a, flags);
}

static long name_of(const uint64_t a[6], bool peer)
{
	struct file *f;
	struct sock *s;
	long rc = sock_get((int)a[0], &f, &s);

	if (rc < 0)
		return rc;
	rc = put_name(s, peer, a[1], a[2]);
	file_put(f);
	return rc;
}

long sys_getsockname(const uint64_t a[6])
{
	return name_of(a, false);
}

long sys_getpeername(const uint64_t a[6])
{
	return name_of(a, true);
}

long sys_shutdown(const uint64_t a[6])
{
	struct file *f;
	struct sock *s;
	long rc = sock_get((int)a[0], &f, &s);

	if (rc < 0)
		return rc;
	if (a[1] > SHUT_RDWR)
		rc = -EINVAL;
	else
		rc = s->ops->shutdown ? s->ops->shutdown(s, (int)a[1]) : -EOPNOTSUPP;
	file_put(f);
	return rc;
}
