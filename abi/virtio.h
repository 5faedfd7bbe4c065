/* SPDX-License-Identifier: Apache-2.0 */
/* Split virtqueues, virtio-mmio version 2 and the devices as both sides see them (virtio 1.2, sections 2.7, 4.2, 5). */
#ifndef ABI_VIRTIO_H
#define ABI_VIRTIO_H

#include "abi/types.h"

#define VIRTQ_DESC_F_NEXT     1u
#define VIRTQ_DESC_F_WRITE    2u
#define VIRTQ_DESC_F_INDIRECT 4u

struct virtq_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};
ABI_ASSERT_SIZE(struct virtq_desc, 16);

struct virtq_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[]; /* size entries, then used_event */
};

struct virtq_used_elem {
	uint32_t id;
	uint32_t len;
};

struct virtq_used {
	uint16_t flags;
	uint16_t idx;
	struct virtq_used_elem ring[]; /* size entries, then uint16_t avail_event */
};

/* Bytes of each part for a queue of n entries, event index included. */
#define VIRTQ_DESC_BYTES(n)  (16u * (n))
#define VIRTQ_AVAIL_BYTES(n) (6u + 2u * (n))
#define VIRTQ_USED_BYTES(n)  (6u + 8u * (n))

/* True when moving an index from old to now passes event (virtio 1.2, section 2.7.7.1). */
static inline int virtq_need_event(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

/* Feature bits. */
#define VIRTIO_NET_F_CSUM       0
#define VIRTIO_NET_F_GUEST_CSUM 1
#define VIRTIO_NET_F_MTU        3
#define VIRTIO_NET_F_MAC        5
#define VIRTIO_NET_F_GUEST_TSO4 7
#define VIRTIO_NET_F_GUEST_TSO6 8
#define VIRTIO_NET_F_HOST_TSO4  11
#define VIRTIO_NET_F_HOST_TSO6  12
#define VIRTIO_NET_F_MRG_RXBUF  15
#define VIRTIO_F_EVENT_IDX      29
#define VIRTIO_F_VERSION_1      32
#define VIRTIO_BIT(f)           (1ull << (f))

/* Header in front of each packet when VERSION_1 is negotiated: always 12 bytes (section 5.1.6). */
struct virtio_net_hdr {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers;
};
ABI_ASSERT_SIZE(struct virtio_net_hdr, 12);
#define VIRTIO_NET_HDR_F_NEEDS_CSUM 1u
#define VIRTIO_NET_HDR_F_DATA_VALID 2u
#define VIRTIO_NET_HDR_GSO_NONE     0u
#define VIRTIO_NET_HDR_GSO_TCPV4    1u
#define VIRTIO_NET_HDR_GSO_TCPV6    4u

/* Block device (section 5.2). A request: this header, data, then one byte of status. */
#define VIRTIO_BLK_F_SEG_MAX      2
#define VIRTIO_BLK_F_RO           5
#define VIRTIO_BLK_F_BLK_SIZE     6
#define VIRTIO_BLK_F_FLUSH        9
#define VIRTIO_BLK_F_DISCARD      13
#define VIRTIO_BLK_F_WRITE_ZEROES 14

#define VIRTIO_BLK_SECTOR_BYTES 512u
#define VIRTIO_BLK_ID_BYTES     20u

struct virtio_blk_req {
	uint32_t type; /* VIRTIO_BLK_T_ */
	uint32_t reserved;
	uint64_t sector; /* in units of 512 bytes, whatever blk_size says */
};
ABI_ASSERT_SIZE(struct virtio_blk_req, 16);
#define VIRTIO_BLK_T_IN           0u
#define VIRTIO_BLK_T_OUT          1u
#define VIRTIO_BLK_T_FLUSH        4u
#define VIRTIO_BLK_T_GET_ID       8u
#define VIRTIO_BLK_T_DISCARD      11u
#define VIRTIO_BLK_T_WRITE_ZEROES 13u
#define VIRTIO_BLK_S_OK           0u
#define VIRTIO_BLK_S_IOERR        1u
#define VIRTIO_BLK_S_UNSUPP       2u

struct virtio_blk_range { /* data of DISCARD and WRITE_ZEROES: one or more of these */
	uint64_t sector;
	uint32_t sectors, flags;
};
ABI_ASSERT_SIZE(struct virtio_blk_range, 16);
#define VIRTIO_BLK_RANGE_UNMAP 1u

struct virtio_blk_config {
	uint64_t capacity; /* sectors */
	uint32_t size_max, seg_max;
	uint8_t geometry[4];
	uint32_t blk_size;
	uint8_t topology[8];
	uint8_t writeback, unused0;
	uint16_t num_queues;
	uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
	uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap, unused1[3];
};
ABI_ASSERT_OFFSET(struct virtio_blk_config, blk_size, 20);
ABI_ASSERT_OFFSET(struct virtio_blk_config, max_discard_sectors, 36);
ABI_ASSERT_SIZE(struct virtio_blk_config, 64);

/* Socket device (section 5.10). Its configuration space is the guest's CID, 64 bits. A packet: this header, then len bytes. */
#define VIRTIO_VSOCK_CID_HOST      2ull
#define VIRTIO_VSOCK_CID_GUEST_MIN 3ull /* 0: hypervisor, 1: the own machine, 2: host */
#define VIRTIO_VSOCK_TYPE_STREAM   1u
#define VIRTIO_VSOCK_OP_REQUEST    1u
#define VIRTIO_VSOCK_OP_RESPONSE   2u
#define VIRTIO_VSOCK_OP_RST        3u
#define VIRTIO_VSOCK_OP_SHUTDOWN   4u
#define VIRTIO_VSOCK_OP_RW         5u
#define VIRTIO_VSOCK_OP_CREDIT     6u /* CREDIT_UPDATE */
#define VIRTIO_VSOCK_OP_CREDIT_ASK 7u /* CREDIT_REQUEST */
#define VIRTIO_VSOCK_SHUTDOWN_RECV 1u /* flags of SHUTDOWN: the sender takes no more, ... */
#define VIRTIO_VSOCK_SHUTDOWN_SEND 2u /* ... sends no more */
#define VIRTIO_VSOCK_SHUTDOWN_BOTH 3u
#define VIRTIO_VSOCK_EVENT_TRANSPORT                                                               \
	0u /* TRANSPORT_RESET: all connections are gone, the CID may be new */

struct virtio_vsock_hdr {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t len; /* bytes behind the header */
	uint16_t type, op;
	uint32_t flags;
	/* Credit: how much the sender keeps for the receiver's data, and how much of it has been used up since the start. */
	uint32_t buf_alloc, fwd_cnt;
} __attribute__((packed, aligned(4)));
ABI_ASSERT_SIZE(struct virtio_vsock_hdr, 44);

struct virtio_vsock_event {
	uint32_t id; /* VIRTIO_VSOCK_EVENT_ */
};

/* virtio-mmio version 2 registers (section 4.2.2). */
#define VIRTIO_MMIO_MAGIC            0x000u
#define VIRTIO_MMIO_VERSION          0x004u
#define VIRTIO_MMIO_DEVICE_ID        0x008u
#define VIRTIO_MMIO_VENDOR_ID        0x00cu
#define VIRTIO_MMIO_DEVICE_FEATURES  0x010u
#define VIRTIO_MMIO_DEVICE_FEAT_SEL  0x014u
#define VIRTIO_MMIO_DRIVER_FEATURES  0x020u
#define VIRTIO_MMIO_DRIVER_FEAT_SEL  0x024u
#define VIRTIO_MMIO_QUEUE_SEL        0x030u
#define VIRTIO_MMIO_QUEUE_NUM_MAX    0x034u
#define VIRTIO_MMIO_QUEUE_NUM        0x038u
#define VIRTIO_MMIO_QUEUE_READY      0x044u
#define VIRTIO_MMIO_QUEUE_NOTIFY     0x050u
#define VIRTIO_MMIO_INTERRUPT_STATUS 0x060u
#define VIRTIO_MMIO_INTERRUPT_ACK    0x064u
#define VIRTIO_MMIO_STATUS           0x070u
#define VIRTIO_MMIO_QUEUE_DESC_LOW   0x080u
#define VIRTIO_MMIO_QUEUE_DESC_HIGH  0x084u
#define VIRTIO_MMIO_QUEUE_AVAIL_LOW  0x090u
#define VIRTIO_MMIO_QUEUE_AVAIL_HIGH 0x094u
#define VIRTIO_MMIO_QUEUE_USED_LOW   0x0a0u
#define VIRTIO_MMIO_QUEUE_USED_HIGH  0x0a4u
#define VIRTIO_MMIO_CONFIG_GEN       0x0fcu
#define VIRTIO_MMIO_CONFIG           0x100u

#define VIRTIO_MMIO_MAGIC_VALUE 0x74726976u /* "virt" */
#define VIRTIO_MMIO_VERSION_2   2u

#define VIRTIO_STATUS_ACKNOWLEDGE 1u
#define VIRTIO_STATUS_DRIVER      2u
#define VIRTIO_STATUS_DRIVER_OK   4u
#define VIRTIO_STATUS_FEATURES_OK 8u
#define VIRTIO_STATUS_NEEDS_RESET 64u
#define VIRTIO_STATUS_FAILED      128u

#endif
