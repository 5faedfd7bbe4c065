/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/network/announce.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>

/* RFC 826 for Ethernet and IPv4. */
struct arp_frame {
	struct ether_header eth;
	struct arphdr head;
	uint8_t from_mac[MAC_BYTES], from_ip[4], to_mac[MAC_BYTES], to_ip[4];
} __attribute__((packed));
_Static_assert(sizeof(struct arp_frame) == ANNOUNCE_FRAME_BYTES, "as on the wire");

void announce_frame(uint32_t ip, const uint8_t of_mac[MAC_BYTES], const uint8_t to_mac[MAC_BYTES],
	uint8_t frame[ANNOUNCE_FRAME_BYTES])
{
	struct arp_frame f = {.eth.ether_type = htons(ETHERTYPE_ARP),
		.head = {.ar_hrd = htons(ARPHRD_ETHER),
			.ar_pro = htons(ETHERTYPE_IP),
			.ar_hln = MAC_BYTES,
			.ar_pln = 4,
			.ar_op = htons(ARPOP_REQUEST)}};
	uint32_t wire = htonl(ip);

	memcpy(f.eth.ether_dhost, to_mac, MAC_BYTES);
	memcpy(f.eth.ether_shost, of_mac, MAC_BYTES);
	memcpy(f.from_mac, of_mac, MAC_BYTES);
	memcpy(f.from_ip, &wire, sizeof(wire));
	memcpy(f.to_ip, &wire, sizeof(wire));
	memcpy(frame, &f, sizeof(f));
}

int announce_open(const struct netns *ns)
{
	return netns_socket(ns, AF_PACKET, SOCK_RAW, 0); /* protocol 0: it receives nothing */
}

int announce_send(int fd, int interface, const uint8_t frame[ANNOUNCE_FRAME_BYTES])
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETHERTYPE_ARP),
		.sll_ifindex = interface,
		.sll_halen = MAC_BYTES};

	memcpy(to.sll_addr, frame, MAC_BYTES);
	return sendto(fd, frame, ANNOUNCE_FRAME_BYTES, MSG_DONTWAIT, (struct sockaddr *)&to,
		       sizeof(to)) < 0
		? -errno
		: 0;
}
