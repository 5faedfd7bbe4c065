/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells an instance that the machine which had an address is gone: an ARP announcement of that address (RFC 5227), to it alone. Our libOS
 * then asks each connection with the address whether it is one still (libos/net/gone.h); a Linux in its place does nothing.
 */
#ifndef DAEMON_NETWORK_ANNOUNCE_H
#define DAEMON_NETWORK_ANNOUNCE_H

#include "daemon/network/netns.h"
#include "daemon/network/subnet6.h"

#define ANNOUNCE_FRAME_BYTES 42

/* The frame: that ip (host order) is of_mac's. Pure. */
void announce_frame(uint32_t ip, const uint8_t of_mac[MAC_BYTES], const uint8_t to_mac[MAC_BYTES],
	uint8_t frame[ANNOUNCE_FRAME_BYTES]);
/* A socket for announce_send(), in the namespace (caller owns); or -errno. */
int announce_open(const struct netns *ns);
/* By the interface of this index. 0 or -errno; full queues are an error, too. */
int announce_send(int fd, int interface, const uint8_t frame[ANNOUNCE_FRAME_BYTES]);

#endif
