/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets for the guest tests: loopback only, ports chosen by the system. */
#ifndef TESTS_GUEST_SOCK_H
#define TESTS_GUEST_SOCK_H

#include "tests/guest/guest.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SA(address) ((struct sockaddr *)(void *)(address))

static MAY_BE_UNUSED struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
}

/* A bound socket of the kind; *address is where. */
static MAY_BE_UNUSED int bound(int kind, struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, kind, 0);

	*address = loopback(0);
	NEED(fd >= 0 && bind(fd, SA(address), sizeof(*address)) == 0 &&
		getsockname(fd, SA(address), &len) == 0);
	return fd;
}

static MAY_BE_UNUSED int listener(struct sockaddr_in *address)
{
	int fd = bound(SOCK_STREAM, address);

	NEED(listen(fd, 128) == 0);
	return fd;
}

static MAY_BE_UNUSED int connected(const struct sockaddr_in *address)
{
	struct sockaddr_in peer = *address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	NEED(fd >= 0 && connect(fd, SA(&peer), sizeof(peer)) == 0);
	return fd;
}

/* Both ends of a TCP connection. */
static MAY_BE_UNUSED void tcp_pair(int fd[2])
{
	struct sockaddr_in address;
	int l = listener(&address);

	fd[0] = connected(&address);
	fd[1] = accept(l, NULL, NULL);
	NEED(fd[1] >= 0);
	close(l);
}

/* Waits until events come: TCP tells its news a little later, even on loopback. */
static MAY_BE_UNUSED int wait_for(int fd, short events)
{
	struct pollfd pfd = {.fd = fd, .events = events};

	return poll(&pfd, 1, 60000) == 1 ? pfd.revents : -1;
}

#endif
