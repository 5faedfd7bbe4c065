/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A published port: a TCP listener in the daemon's namespace, whose connections the loop carries to a port of an
 * instance, with splice(2) through one pipe per direction: bounded buffers, back-pressure, half-close passed on.
 */
#ifndef DAEMON_NETWORK_FORWARD_H
#define DAEMON_NETWORK_FORWARD_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

#define FORWARD_CONNECTIONS_MAX 256 /* per port; more wait in the listener's queue */

struct loop;
struct network;
struct forward;

struct forward_config {
	struct loop *loop;
	const struct network *net;
	uint32_t host_ip;
	uint16_t host_port; /* 0: the kernel chooses, see forward_port() */
	uint32_t ip;
	uint16_t port;
};

/* The socket that clients reach, not blocking, and the port that it has; TCP's listens. The descriptor (the caller's), -EADDRINUSE or
 * another -errno with err. */
int forward_bind(const struct forward_config *config, bool udp, uint16_t *port, struct err *err);
/* 0, or -errno with err: -EADDRINUSE when the host's port is taken. */
int forward_new(const struct forward_config *config, struct forward **forward, struct err *err);
/* Closes the listener and all connections. NULL is fine. */
void forward_free(struct forward *forward);
uint16_t forward_port(const struct forward *forward);

#endif
