/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eth0's wire: a virtio-net device in memory and behind it a mirror. What the stack (10.0.0.2) sends to 10.0.0.1 comes back as if 10.0.0.1
 * had sent it: addresses are swapped, which leaves every checksum right. So both ends of a connection are sockets of the one stack and all
 * packets cross driver, rings and lwIP twice. The mirror can lose, double and reorder.
 */
#ifndef TESTS_UNIT_LIBOS_NET_WIRE_H
#define TESTS_UNIT_LIBOS_NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_SELF 0x0200000au /* 10.0.0.2 in network order */
#define WIRE_PEER 0x0100000au

struct wire {
	unsigned lose, dup, delay; /* of 1000 packets */
	bool unplugged;
	bool wants_kicks; /* for each frame sent after those that the device has seen */
	uint64_t sent, received, lost;
	/* Looks at each frame that the stack sends; true: it is kept from the mirror. */
	bool (*tap)(const unsigned char *frame, size_t len);
};
extern struct wire wire;

/* Brings the stack up on the wire, with these negotiated features besides VERSION_1 and EVENT_IDX. */
int wire_start(uint64_t features);
/* Puts a frame on the stack's doorstep. */
void wire_inject(const void *frame, size_t len, unsigned hdr_flags);
/* Used rings as the device left them, for tests that break them. */
struct virtq_used *wire_rx_used(void);

#endif
