/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile frames and headers of a guest: what net_filter.c lets through to the tap. */
#include "vmm/virtio/net_filter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALL                                                                                        \
	(VIRTIO_BIT(VIRTIO_NET_F_CSUM) | VIRTIO_BIT(VIRTIO_NET_F_HOST_TSO4) |                      \
		VIRTIO_BIT(VIRTIO_NET_F_HOST_TSO6))
#define LONG_FRAME 60000u

static const struct net_identity own = {
	.mac = {2, 0, 0, 0, 0, 7},
	.ip = {10, 0, 0, 7},
	.ip6 = {0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7},
};
static const uint8_t link_local[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 7};
static const uint8_t other_ip6[16] = {0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8};

struct frame {
	uint8_t b[NET_HEAD_BYTES];
	struct virtio_net_hdr hdr;
};

static void ethernet(struct frame *f, unsigned type)
{
	memset(f, 0, sizeof(*f));
	memset(f->b, 0xff, 6);
	memcpy(f->b + 6, own.mac, 6);
	f->b[12] = (uint8_t)(type >> 8);
	f->b[13] = (uint8_t)type;
}

static void tcp4(struct frame *f)
{
	ethernet(f, 0x0800);
	f->b[14] = 0x45;
	f->b[23] = 6;
	memcpy(f->b + 26, own.ip, 4);
	f->b[34 + 12] = 0x50;
	f->hdr = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = 54,
		.gso_size = 1460,
		.csum_start = 34,
		.csum_offset = 16};
}

static void packet6(struct frame *f, unsigned next, size_t payload)
{
	ethernet(f, 0x86dd);
	f->b[14] = 0x60;
	f->b[18] = (uint8_t)(payload >> 8);
	f->b[19] = (uint8_t)payload;
	f->b[20] = (uint8_t)next;
	memcpy(f->b + 22, own.ip6, 16);
}

static void tcp6(struct frame *f)
{
	packet6(f, 6, LONG_FRAME - 54);
	f->b[54 + 12] = 0x50;
	f->hdr = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV6,
		.gso_size = 1440,
		.csum_start = 54,
		.csum_offset = 16};
}

static int header(const struct frame *f, uint64_t features, size_t len, struct virtio_net_hdr *out)
{
	size_t n = len < NET_HEAD_BYTES ? len : NET_HEAD_BYTES;
	uint8_t *exact = malloc(n); /* the sanitizer knows where it ends */
	int r;

	assert_non_null(exact);
	memcpy(exact, f->b, n);
	r = net_filter_header(features, &f->hdr, exact, n, len, out);
	free(exact);
	return r;
}

static bool source(const struct frame *f, size_t len)
{
	uint8_t *exact = malloc(len);
	bool r;

	assert_non_null(exact);
	memcpy(exact, f->b, len);
	r = net_filter_source(&own, exact, len);
	free(exact);
	return r;
}

static void test_large_segments(void **state)
{
	struct virtio_net_hdr out;
	struct frame f;

	tcp4(&f);
	f.hdr.hdr_len = 9999; /* never believed */
	assert_int_equal(header(&f, ALL, LONG_FRAME, &out), 0);
	assert_int_equal(out.hdr_len, 54);
	assert_int_equal(out.gso_size, 1460);
	assert_int_equal(out.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(out.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	tcp6(&f);
	assert_int_equal(header(&f, ALL, LONG_FRAME, &out), 0);
	assert_int_equal(out.hdr_len, 74);
	f.b[54 + 12] = 0xf0;
	assert_int_equal(header(&f, ALL, LONG_FRAME, &out), 0);
	assert_int_equal(out.hdr_len, 54 + 60);
}

#define REFUSED(make, change)                                                                      \
	do {                                                                                       \
		struct virtio_net_hdr out_;                                                        \
		struct frame f;                                                                    \
		make(&f);                                                                          \
		change;                                                                            \
		assert_int_equal(header(&f, ALL, LONG_FRAME, &out_), -EINVAL);                     \
	} while (0)

/* A checksum is written where the header says: into nothing but a checksum. */
static void test_checksum_elsewhere(void **state)
{
	REFUSED(tcp4, f.hdr.csum_start = 14);                           /* the IP header */
	REFUSED(tcp4, (f.hdr.csum_start = 14, f.hdr.csum_offset = 12)); /* its source address */
	REFUSED(tcp4, (f.hdr.csum_start = 0, f.hdr.csum_offset = 6));   /* the source MAC address */
	REFUSED(tcp4, f.hdr.csum_offset = 0);                           /* the source port */
	REFUSED(tcp4, f.hdr.csum_start = 65535);
	REFUSED(tcp4, f.hdr.csum_offset = 65535);
	REFUSED(tcp4, f.b[23] = 1);    /* ICMP has its sum elsewhere */
	REFUSED(tcp4, f.b[20] = 0x20); /* a fragment */
	REFUSED(tcp4, f.b[21] = 1);    /* a later one */
	REFUSED(tcp4, f.b[14] = 0x4f); /* options: TCP is not where it was */
	REFUSED(tcp4, f.b[14] = 0x44); /* a header shorter than one */
	REFUSED(tcp4, f.b[14] = 0x65); /* version 6 in a frame of version 4 */
	REFUSED(tcp4, f.b[12] = 0x86); /* neither */
	REFUSED(tcp6, f.b[20] = 0);    /* extension headers: not followed */
	REFUSED(tcp6, f.b[14] = 0x45);
}

static void test_segmentation_elsewhere(void **state)
{
	REFUSED(tcp4, f.hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV6);
	REFUSED(tcp4, f.hdr.gso_type = 3);    /* UDP fragmentation: not offered */
	REFUSED(tcp4, f.hdr.gso_type = 0x81); /* ECN: not offered */
	REFUSED(tcp4, f.hdr.gso_type = 255);
	REFUSED(tcp4, f.hdr.gso_size = 0);
	REFUSED(tcp4, f.hdr.gso_size = 1); /* 60,000 frames out of one */
	REFUSED(tcp4, f.hdr.flags = 0);
	REFUSED(tcp4, f.b[34 + 12] = 0x40); /* a TCP header of 16 bytes */
	REFUSED(tcp4, (f.b[23] = 17, f.hdr.csum_offset = 6));
	REFUSED(tcp6, f.hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4);
}

static void test_short_frames(void **state)
{
	struct virtio_net_hdr out;
	struct frame f;

	tcp4(&f);
	for (size_t len = ETH_HEADER_BYTES; len <= 54; len++)
		assert_int_equal(header(&f, ALL, len, &out), -EINVAL);
	assert_int_equal(header(&f, ALL, 55, &out), 0);
	tcp6(&f);
	for (size_t len = ETH_HEADER_BYTES; len <= 74; len++)
		assert_int_equal(header(&f, ALL, len, &out), -EINVAL);
	for (size_t len = ETH_HEADER_BYTES; len < 62; len++)
		assert_false(source(&f, len));
}

static void test_not_negotiated(void **state)
{
	struct virtio_net_hdr out;
	struct frame f;

	tcp4(&f);
	assert_int_equal(header(&f, 0, LONG_FRAME, &out), -EINVAL);
	assert_int_equal(header(&f, VIRTIO_BIT(VIRTIO_NET_F_CSUM), LONG_FRAME, &out), -EINVAL);
	f.hdr.gso_type = VIRTIO_NET_HDR_GSO_NONE;
	assert_int_equal(header(&f, 0, 1000, &out), 0);
	assert_int_equal(out.flags, 0);
	assert_int_equal(header(&f, VIRTIO_BIT(VIRTIO_NET_F_CSUM), 1000, &out), 0);
	assert_int_equal(out.csum_start, 34);
	assert_int_equal(out.gso_size, 0);
}

static void test_own_addresses(void **state)
{
	struct frame f;

	tcp4(&f);
	assert_true(source(&f, 60));
	f.b[29]++;
	assert_false(source(&f, 60));
	tcp4(&f);
	f.b[11]++;
	assert_false(source(&f, 60));
	tcp6(&f);
	assert_true(source(&f, 90));
	memcpy(f.b + 22, link_local, 16);
	assert_true(source(&f, 90));
	memcpy(f.b + 22, other_ip6, 16);
	assert_false(source(&f, 90));
	memset(f.b + 22, 0, 16);
	assert_false(source(&f, 90));
	tcp4(&f);
	f.b[12] = 0x81; /* a VLAN tag */
	f.b[13] = 0;
	assert_false(source(&f, 60));
}

/* An advertisement or solicitation: target, one option of a link-layer address. */
static size_t neighbour(struct frame *f, unsigned type, const uint8_t *target, const uint8_t *mac)
{
	packet6(f, 58, 32);
	f->b[54] = (uint8_t)type;
	memcpy(f->b + 62, target, 16);
	f->b[78] = type == 136 ? 2 : 1;
	f->b[79] = 1;
	memcpy(f->b + 80, mac, 6);
	return 86;
}

static void test_neighbour_discovery(void **state)
{
	static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 8};
	struct frame f;
	size_t n;

	n = neighbour(&f, 136, own.ip6, own.mac);
	assert_true(source(&f, n));
	f.b[79] = 0; /* an option of no length */
	assert_false(source(&f, n));
	f.b[79] = 2; /* longer than the packet */
	assert_false(source(&f, n));
	n = neighbour(&f, 136, other_ip6, own.mac);
	assert_false(source(&f, n));
	n = neighbour(&f, 136, own.ip6, other_mac);
	assert_false(source(&f, n));
	n = neighbour(&f, 135, other_ip6, own.mac);
	assert_true(source(&f, n));
	memset(f.b + 22, 0, 16); /* duplicate address detection */
	assert_true(source(&f, n));
	n = neighbour(&f, 135, other_ip6, other_mac);
	assert_false(source(&f, n));
	n = neighbour(&f, 136, own.ip6, own.mac);
	f.b[19] = 200; /* says that more follows than was sent */
	assert_false(source(&f, n));
	for (unsigned type = 134; type <= 137; type += 3) { /* no router, and no redirects */
		n = neighbour(&f, type, own.ip6, own.mac);
		assert_false(source(&f, n));
	}
}

static void test_hidden_discovery(void **state)
{
	struct frame f;
	size_t n = neighbour(&f, 136, other_ip6, own.mac);

	memmove(f.b + 62, f.b + 54, 32);
	memset(f.b + 54, 0, 8);
	f.b[54] = 58;
	f.b[19] = 40;
	f.b[20] = 0; /* behind a hop-by-hop header */
	assert_false(source(&f, n + 8));
	f.b[62] = 143; /* a multicast report may */
	assert_true(source(&f, n + 8));
	f.b[20] = 44; /* in a fragment */
	assert_false(source(&f, n + 8));
	f.b[20] = 60; /* behind destination options */
	assert_false(source(&f, n + 8));
	f.b[20] = 43; /* behind a routing header */
	assert_false(source(&f, n + 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_large_segments),
		cmocka_unit_test(test_checksum_elsewhere),
		cmocka_unit_test(test_segmentation_elsewhere),
		cmocka_unit_test(test_short_frames),
		cmocka_unit_test(test_not_negotiated),
		cmocka_unit_test(test_own_addresses),
		cmocka_unit_test(test_neighbour_discovery),
		cmocka_unit_test(test_hidden_discovery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
