/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inverts the rows of a PNG as they are filtered (PNG specification, section 9), without taking the filters off. What a filter leaves of
 * a sample is its difference to a prediction from its neighbours; max - v turns the sign of all differences, and for None, Sub, Up and
 * Paeth the prediction from inverted neighbours is the inverse of the prediction (Paeth's distances are the same, so it chooses the
 * same one). So bytes are negated, but where there is no neighbour: there they are complemented. Average rounds down, which is not
 * symmetric: such rows, and those above them up to the next that stands alone, are taken apart and filtered anew.
 */
#ifndef SERVICES_WORKER_PNG_ROWS_H
#define SERVICES_WORKER_PNG_ROWS_H

#include "services/worker/kernels.h"

#include <stdbool.h>

struct png_rows {
	uint8_t *
		data; /* height rows of 1 + row_bytes: number of the filter, and the filtered bytes */
	size_t row_bytes;   /* at least 1 */
	uint32_t height;    /* at least 1 */
	size_t pixel_bytes; /* of a whole pixel, at least 1 */
	const uint8_t *
		mask; /* KERNEL_MASK_BYTES: 0xff for bytes that are inverted, 0 for those that stay */
	const struct kernels *kernels;
};

/* Filters that there are: 0 to 4. */
bool png_rows_valid(const struct png_rows *rows);
/* In place. 0 or -ENOMEM. */
int png_rows_invert(const struct png_rows *rows);

#endif
