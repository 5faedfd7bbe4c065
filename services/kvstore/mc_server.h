/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener and the connections of memcached's text protocol (mc_session.h), on the service's loop and thread.
 *
 * Slow and hostile clients: a limit on connections, one read of MC_READ_BYTES and one write an event, no reading while
 * output waits, and who stops in the middle of a command or does not take its answers is closed after stall_s.
 */
#ifndef SERVICES_KVSTORE_MC_SERVER_H
#define SERVICES_KVSTORE_MC_SERVER_H

#include "lib/err.h"
#include "services/kvstore/mc_session.h"

#define MC_READ_BYTES (16 * KIB)

struct loop;
struct mc_server;

struct mc_config {
	struct loop *loop;
	int fd; /* bound, not listening; taken on success */
	struct mc_shared
		*shared; /* borrowed; its times and counts of connections are the server's to set */
	unsigned int connections_max;
	int64_t stall_s;
};

/* Listens. 0 or -errno. */
int mc_server_new(const struct mc_config *cfg, struct mc_server **server, struct err *err);
/* Closes everything, at once. NULL is fine. */
void mc_server_free(struct mc_server *server);

#endif
