/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TCP connection from inside the instances' network to a port of an instance, one after the other, for who asks it something short: readiness,
 * health checks, metrics, the requests before a template is frozen. What an answer means, and how long each step may take, is the owner's.
 *
 *   probe_init() -> IDLE --probe_connect()--> CONNECTING --> connected() --probe_get()--> ASKING --> readable()
 *                    ^                             |              |                          |
 *                    +-------- probe_close() ------+--------------+--------------------------+
 *
 * One timer goes with it, which is the owner's to set: for the next connection, or for the end of this one's time.
 */
#ifndef DAEMON_NETWORK_PROBE_H
#define DAEMON_NETWORK_PROBE_H

#include "lib/loop.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define PROBE_PATH_BYTES 256

struct network;

struct probe {
	struct loop *loop;
	const struct network *net;
	struct sockaddr_in to;
	int fd; /* -1: IDLE */
	struct loop_io *io;
	struct loop_timer *timer;
};

/* In the owner's memory; the timer is not set. 0 or -errno, and then it need not be ended. */
int probe_init(struct probe *probe, struct loop *loop, const struct network *net, uint32_t ip,
	uint16_t port, loop_timer_fn *on_timer, void *arg);
void probe_fini(struct probe *probe);

bool probe_is_open(const struct probe *probe);
/* From IDLE; connected is called when it is known whether the port takes it: probe_error() says so. 0 or -errno, and then it is IDLE. */
int probe_connect(struct probe *probe, loop_io_fn *connected, void *arg);
/* Of a connection: 0 or -errno. */
int probe_error(const struct probe *probe);
/* Asks for a path (shorter than PROBE_PATH_BYTES) by HTTP/1.1 and "Connection: close", or by HTTP/1.0, whose answers are never in chunks; readable
 * is called when something of the answer is there. 0 or -errno. */
int probe_get(struct probe *probe, const char *path, bool http10, loop_io_fn *readable, void *arg);
void probe_close(struct probe *probe);

#endif
