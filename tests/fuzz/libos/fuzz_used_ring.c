/* SPDX-License-Identifier: Apache-2.0 */
/* A device that writes nonsense into a used ring: the driver may give it up, and nothing else may happen. */
#include "abi/boot.h"
#include "libos/drv/virtqueue.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "tests/unit/libos/net/shim.h"

#include <stdlib.h>

#define SIZE 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char memory[SIZE][32];
	struct virtqueue vq;
	struct uig_queue where;
	unsigned in_flight = 0;

	shim_console[0] = '\0';
	if (virtqueue_create(&vq, &where, SIZE, size & 1) < 0)
		return 0;
	volatile struct virtq_used *used = page_ptr(where.used);
	for (size_t i = 0; i + 4 <= size; i += 4) {
		struct vq_buf b[3] = {
			{memory[data[i + 1] % SIZE], 32}, {memory[1], 8}, {memory[2], 4}};
		uint32_t len = 0;

		switch (data[i] % 6) {
		case 0:
			in_flight += virtqueue_add(&vq, b, data[i + 1] % 3, data[i + 2] % 2,
					     memory[0]) == 0;
			break;
		case 1: /* as a device should */
			used->ring[used->idx % SIZE].id = vq.avail->ring[data[i + 1] % SIZE];
			used->ring[used->idx % SIZE].len = data[i + 2];
			used->idx++;
			break;
		case 2:
			used->ring[data[i + 1] % SIZE].id = data[i + 2] * 0x01010101u;
			used->ring[data[i + 1] % SIZE].len = data[i + 3] * 0x01010101u;
			break;
		case 3:
			used->idx = (uint16_t)(used->idx + data[i + 1] % 20);
			break;
		case 4:
			if (virtqueue_pop(&vq, &len)) {
				if (in_flight == 0 || len > 44)
					abort();
				in_flight--;
			}
			break;
		case 5:
			virtqueue_arm(&vq);
			virtqueue_kick_needed(&vq);
			virtqueue_disarm(&vq);
			break;
		}
	}
	kfree(vq.slot);
	page_free_run(page_ptr(where.desc), 1);
	return 0;
}
