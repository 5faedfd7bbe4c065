/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile packets into the network stack, with a program that works on its sockets meanwhile. The input is a list of small commands: a frame
 * as it is, an IP packet (its header checksum is put right, or nothing would get further), a TCP segment whose numbers are given relative to
 * what the stack sent last, time that passes, an action of the program.
 */
#include "abi/virtio.h"
#include "tests/unit/libos/net/net.h"

static const unsigned char *in, *in_end;
static uint32_t stack_seq[4], stack_ack[4]; /* last seen from the stack, by remote port */
static int fd[16];

static unsigned byte(void)
{
	return in < in_end ? *in++ : 0;
}

static unsigned half(void)
{
	return byte() << 8 | byte();
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_be32(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 24);
	p[1] = (unsigned char)(v >> 16);
	p[2] = (unsigned char)(v >> 8);
	p[3] = (unsigned char)v;
}

/* Learns the stack's sequence numbers; nothing is mirrored but ARP. */
static bool watch(const unsigned char *f, size_t len)
{
	if (f[12] == 8 && f[13] == 6)
		return false;
	if (len >= 54 && f[23] == 6) {
		unsigned port = f[37] & 3;

		stack_seq[port] = be32(f + 38) + (uint32_t)(len - 54) + ((f[47] & 3) != 0);
		stack_ack[port] = be32(f + 42);
	}
	return true;
}

static void fix_ip(unsigned char *ip)
{
	uint32_t sum = 0;
	size_t n = (size_t)(ip[0] & 15) * 4;

	ip[10] = ip[11] = 0;
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	ip[10] = (unsigned char)(~sum >> 8);
	ip[11] = (unsigned char)~sum;
}

static const unsigned char eth[14] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};

static void raw_frame(void)
{
	unsigned char f[2000] = {0};
	size_t n = half() % sizeof(f);

	for (size_t i = 0; i < n; i++)
		f[i] = (unsigned char)byte();
	wire_inject(f, n < 14 ? 14 : n, byte() & 3);
}

static void ip_packet(void)
{
	unsigned char f[2100] = {0};
	size_t n = 20 + half() % 1600;

	memcpy(f, eth, 14);
	for (size_t i = 0; i < n && in < in_end; i++)
		f[14 + i] = (unsigned char)byte();
	f[14] = (unsigned char)(0x45 + (f[14] & 3));
	fix_ip(f + 14);
	wire_inject(f, 14 + n, VIRTIO_NET_HDR_F_DATA_VALID);
}

static uint16_t sum16(uint32_t sum, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* An IPv6 packet: from a neighbour, the loopback or nobody, to one of the instance's addresses, a group or any; ICMPv6 has the right
 * checksum, which the device does not make. */
static void ip6_packet(void)
{
	static const unsigned char link_local[16] = {
		0xfe, 0x80, [8] = 0, 0, 0, 0xff, 0xfe, 0, 0, 2};
	unsigned char f[2100] = {0}, *ip = f + 14;
	unsigned next = byte(), how = byte();
	size_t n = half() % 1600;

	memcpy(f, eth, 12);
	f[12] = 0x86;
	f[13] = 0xdd;
	ip[0] = 0x60;
	ip[4] = (unsigned char)(n >> 8);
	ip[5] = (unsigned char)n;
	ip[6] = next % 4 == 0 ? 58 : next % 4 == 1 ? 44 : (unsigned char)next;
	ip[7] = 255;
	memcpy(ip + 8, link_local, 16);
	ip[23] = (unsigned char)(how & 3);
	memcpy(ip + 24, link_local, 16);
	if (how & 4) { /* a group: its solicited node, or all nodes */
		memset(ip + 24, 0, 16);
		ip[24] = 0xff;
		ip[25] = 2;
		ip[39] = (how & 8) ? 1 : 2;
		if (!(how & 8))
			ip[35] = 1, ip[36] = 0xff;
	}
	if (how & 16)
		memset(ip + 8, 0, 15);
	for (size_t i = 0; i < n && in < in_end; i++)
		ip[40 + i] = (unsigned char)byte();
	if (ip[6] == 58 && n >= 4) {
		ip[42] = ip[43] = 0;
		uint16_t s = (uint16_t)~sum16(sum16(58 + (uint32_t)n, ip + 8, 32), ip + 40, n);
		ip[42] = (unsigned char)(s >> 8);
		ip[43] = (unsigned char)s;
	}
	wire_inject(f, 54 + n, ip[6] == 58 ? 0 : VIRTIO_NET_HDR_F_DATA_VALID);
}

static void tcp_segment(void)
{
	unsigned char f[1600] = {0}, *ip = f + 14, *th = ip + 20;
	unsigned port = byte() & 3, optlen = byte() % 11 * 4, payload = half() % 1400,
		 flags = byte(), how = byte();
	size_t n = 40 + optlen + payload;

	memcpy(f, eth, 14);
	ip[0] = 0x45;
	ip[2] = (unsigned char)(n >> 8);
	ip[3] = (unsigned char)n;
	ip[8] = 64;
	ip[9] = 6;
	put_be32(ip + 12, 0x0a000001);
	put_be32(ip + 16, 0x0a000002);
	fix_ip(ip);
	th[0] = 0x30;
	th[1] = (unsigned char)port;
	th[3] = 80;
	uint32_t seq = stack_ack[port], ack = stack_seq[port];
	if (how & 1)
		seq += (uint32_t)(int16_t)half();
	if (how & 2)
		ack += (uint32_t)(int16_t)half();
	put_be32(th + 4, seq);
	put_be32(th + 8, ack);
	th[12] = (unsigned char)((5 + optlen / 4) << 4);
	th[13] = (unsigned char)flags;
	th[14] = (unsigned char)byte();
	th[15] = (unsigned char)byte();
	for (unsigned i = 0; i < optlen; i++)
		th[20 + i] = (unsigned char)byte();
	memset(th + 20 + optlen, 'p', payload);
	wire_inject(f, 14 + n, VIRTIO_NET_HDR_F_DATA_VALID);
}

static void act(void)
{
	static char buf[5000];
	unsigned what = byte(), i = byte() % 16;

	switch (what % 8) {
	case 0:
		if (fd[i] < 0)
			fd[i] = t_accept(fd[0]);
		break;
	case 1:
		t_recv(fd[i], buf, 1 + half() % 5000, MSG_DONTWAIT | (what & 8 ? MSG_PEEK : 0));
		break;
	case 2:
		t_send(fd[i], buf, half() % 5000,
			MSG_DONTWAIT | MSG_NOSIGNAL | (what & 8 ? MSG_MORE : 0));
		break;
	case 3:
		if (i > 1) {
			fd_close(fd[i]);
			fd[i] = -1;
		}
		break;
	case 4:
		if (i > 1)
			CALL(shutdown, fd[i], byte() % 3);
		break;
	case 5:
		t_setopt(fd[i], SOL_TCP, (int)(byte() % 32), (int)byte());
		break;
	case 6:
		if (fd[i] < 0) {
			fd[i] = t_socket(SOCK_STREAM | SOCK_NONBLOCK);
			t_connect(fd[i], WIRE_PEER, 0x5000 | (byte() & 3));
		}
		break;
	case 7:
		if (fd[i] >= 0)
			shim_poll(fd[i]);
		break;
	}
}

static void begin(void)
{
	static bool up;

	if (!up &&
		wire_start(VIRTIO_BIT(VIRTIO_NET_F_CSUM) | VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM)) < 0)
		abort();
	up = true;
	wire.tap = watch;
	for (int i = 0; i < 16; i++)
		fd[i] = -1;
	fd[0] = t_socket(SOCK_STREAM | SOCK_NONBLOCK);
	t_setopt(fd[0], SOL_SOCKET, SO_REUSEADDR, 1);
	if (t_bind(fd[0], 0, 80) < 0 || CALL(listen, fd[0], 8) < 0)
		abort();
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = 0x3500};
	fd[1] = (int)CALL(socket, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (fd[1] < 0 || CALL(bind, fd[1], &any, sizeof(any)) < 0)
		abort();
	shim_settle();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	in = data;
	in_end = data + size;
	begin();
	for (unsigned n = 0; in < in_end && n < 400; n++) {
		switch (byte() % 7) {
		case 0:
			raw_frame();
			break;
		case 1:
			ip_packet();
			break;
		case 2:
		case 3:
			tcp_segment();
			break;
		case 4:
			shim_run((uint64_t)byte() * 20000000);
			break;
		case 5:
			act();
			break;
		case 6:
			ip6_packet();
			break;
		}
		shim_settle();
	}
	for (int i = 0; i < 16; i++)
		fd_close(fd[i]);
	shim_run(2000 * SECOND); /* a dozen retransmissions take 8 minutes */
	if (shim_next_timer() != UINT64_MAX)
		abort(); /* something ticks for ever */
	return 0;
}
