/* SPDX-License-Identifier: Apache-2.0 */
/* Control messages beside data: where they are written to in the program, and those of the levels SOL_IP and SOL_IPV6. */
#ifndef LIBOS_NET_CMSG_H
#define LIBOS_NET_CMSG_H

#include "libos/mem/uaccess.h"
#include "libos/uapi/socket.h"

#include <stddef.h>

/* What a datagram came with, or shall be sent with. */
#define CMSG_PKTINFO4 0x01u
#define CMSG_TTL4     0x02u
#define CMSG_TOS4     0x04u
#define CMSG_PKTINFO6 0x08u
#define CMSG_HOPS6    0x10u
#define CMSG_TCLASS6  0x20u
struct cmsg_ip {
	unsigned have; /* CMSG_ bits */
	uint8_t addr
		[16]; /* received: where it was sent to; to be sent: its source, all 0: as the socket has it. IPv4 is mapped */
	int ifindex, hops, tclass;
};

struct cmsg_out {
	uptr_t at;
	uint64_t left, used;
};

/* Goes past a message of this length, with its padding as far as there is room. */
void cmsg_step(struct cmsg_out *o, uint64_t len);
/* Writes one message, cut to what there is room for (MSG_CTRUNC in *flags). 0 or -EFAULT. */
int cmsg_put(struct cmsg_out *o, int level, int type, const void *data, size_t n, unsigned *flags);
/* The messages of a received datagram. */
int cmsg_ip_put(struct cmsg_out *o, const struct cmsg_ip *ip, unsigned *flags);
/* Reads a message of level SOL_IP or SOL_IPV6 that the program sends. -EINVAL. */
int cmsg_ip_take(struct cmsg_ip *ip, const struct cmsghdr *h, const void *data, size_t n);

#endif
