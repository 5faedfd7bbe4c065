/* SPDX-License-Identifier: Apache-2.0 */
#include "services/worker/ops.h"

void op_invert(struct picture *p, const struct kernels *k)
{
	uint8_t mask[KERNEL_MASK_BYTES];
	unsigned int colors = picture_has_alpha(p) ? p->channels - 1 : p->channels;

	for (size_t i = 0; i < KERNEL_MASK_BYTES; i++)
		mask[i] = !picture_has_alpha(p) || i % p->channels < colors ? 0xff : 0;
	k->mask(p->data, picture_row_bytes(p) * p->height, mask);
}
