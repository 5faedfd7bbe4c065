/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is a virtio-net header and the frame behind it, as a guest sends them. What the filter lets through must keep what it
 * promises: the checksum lies in a TCP or UDP header inside the frame, a segment has a header shorter than itself.
 */
#include "vmm/virtio/net_filter.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct virtio_net_hdr *out, size_t len)
{
	if ((out->flags & ~VIRTIO_NET_HDR_F_NEEDS_CSUM) || out->num_buffers)
		abort();
	if (out->flags &&
		(out->csum_start < ETH_HEADER_BYTES + 20 ||
			(size_t)out->csum_start + out->csum_offset + 2 > len))
		abort();
	if (out->gso_type && (!out->flags || out->gso_size == 0 || out->hdr_len >= len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_identity id = {.ip6 = {0xfd}};
	struct virtio_net_hdr in, out;
	size_t len, n;
	uint8_t *head;

	if (size < sizeof(in) + ETH_HEADER_BYTES + 1)
		return 0;
	memcpy(&in, data, sizeof(in));
	data += sizeof(in);
	len = size - sizeof(in) - 1;
	n = len < NET_HEAD_BYTES ? len : NET_HEAD_BYTES;
	head = malloc(n);
	if (!head)
		abort();
	memcpy(head, data, n);
	memcpy(id.mac, head + 6, 6);
	if (data[len] & 1) /* most inputs have no address of this instance */
		memcpy(id.ip6, head + (n >= 38 ? 22 : 0), n >= 38 ? 16 : 0);
	(void)net_filter_source(&id, head, n);
	if (net_filter_header(~0ull, &in, head, n, len, &out) == 0)
		check(&out, len);
	free(head);
	return 0;
}
