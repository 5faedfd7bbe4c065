/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the socket tests: calls with C types. Results are as the libOS gives them: >= 0 or -errno. */
#ifndef TESTS_UNIT_LIBOS_NET_NET_H
#define TESTS_UNIT_LIBOS_NET_NET_H

#include "libos/fs/file.h"
#include "libos/klib/errno.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/socket.h"
#include "tests/unit/libos/net/shim.h"
#include "tests/unit/libos/net/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOOPBACK 0x0100007fu /* network order */
#define SECOND   1000000000ull

static inline struct sockaddr_in in_addr_of(uint32_t ip, unsigned port)
{
	return (struct sockaddr_in){AF_INET, (uint16_t)(port >> 8 | (port & 0xff) << 8), {ip}, {0}};
}

static inline int t_socket(unsigned type)
{
	return (int)CALL(socket, AF_INET, type, 0);
}

static inline long t_bind(int fd, uint32_t ip, unsigned port)
{
	struct sockaddr_in a = in_addr_of(ip, port);

	return CALL(bind, fd, &a, sizeof(a));
}

static inline long t_connect(int fd, uint32_t ip, unsigned port)
{
	struct sockaddr_in a = in_addr_of(ip, port);

	return CALL(connect, fd, &a, sizeof(a));
}

static inline long t_send(int fd, const void *p, size_t n, unsigned flags)
{
	return CALL(sendto, fd, p, n, flags, 0, 0);
}

static inline long t_recv(int fd, void *p, size_t n, unsigned flags)
{
	return CALL(recvfrom, fd, p, n, flags, 0, 0);
}

static inline long t_setopt(int fd, int level, int name, int v)
{
	return CALL(setsockopt, fd, level, name, &v, sizeof(v));
}

static inline int t_getopt(int fd, int level, int name)
{
	int v = -12345, len = sizeof(v);
	long rc = CALL(getsockopt, fd, level, name, &v, &len);

	return rc < 0 ? (int)rc : v;
}

static inline unsigned t_port(int fd)
{
	struct sockaddr_in a;
	int len = sizeof(a);

	assert_int_equal(CALL(getsockname, fd, &a, &len), 0);
	return (unsigned)((a.sin_port & 0xff) << 8 | a.sin_port >> 8);
}

static inline int t_listen(uint32_t ip, unsigned port, int backlog)
{
	int fd = t_socket(SOCK_STREAM | SOCK_NONBLOCK);

	assert_true(fd >= 0);
	assert_int_equal(t_setopt(fd, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(t_bind(fd, ip, port), 0);
	assert_int_equal(CALL(listen, fd, backlog), 0);
	return fd;
}

static inline int t_accept(int lfd)
{
	return (int)CALL(accept4, lfd, 0, 0, 0);
}

/* Connects through the wire (or the loopback) to a listener at `port` and accepts: client and server descriptors. */
static inline void t_pair_on(uint32_t ip, unsigned port, int lfd, int fd[2])
{
	fd[0] = t_socket(SOCK_STREAM);
	assert_int_equal(t_connect(fd[0], ip, port), 0);
	shim_settle();
	fd[1] = t_accept(lfd);
	assert_true(fd[1] >= 0);
}

/* Lets all connections end; then nothing must tick. */
static inline void t_quiet(void)
{
	shim_run(200 * SECOND);
	assert_true(shim_next_timer() == UINT64_MAX);
}

#endif
