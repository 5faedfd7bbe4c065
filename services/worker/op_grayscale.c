/* SPDX-License-Identifier: Apache-2.0 */
#include "services/worker/ops.h"

#include <errno.h>
#include <stdlib.h>

int op_grayscale(struct picture *p, const struct kernels *k, struct err *err)
{
	uint8_t *luma, *to = p->data;
	size_t row = picture_row_bytes(p);

	if (p->channels < 3)
		return 0;
	if (p->channels == 3) {
		k->luma(p->data, p->data, (size_t)p->width * p->height, 3);
		p->channels = 1;
		return 0;
	}
	luma = malloc(p->width);
	if (!luma)
		return err_set(err, ENOMEM, "out of memory");
	for (uint32_t y = 0; y < p->height; y++) {
		const uint8_t *from = p->data + row * y;

		k->luma(luma, from, p->width, 4);
		for (uint32_t x = 0; x < p->width; x++) {
			uint8_t alpha = from[4 * (size_t)x + 3];

			*to++ = luma[x];
			*to++ = alpha;
		}
	}
	p->channels = 2;
	free(luma);
	return 0;
}
