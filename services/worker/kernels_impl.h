/* SPDX-License-Identifier: Apache-2.0 */
/* The plain loops, for what is left at the end of a row; as in kernels.h. */
#ifndef SERVICES_WORKER_KERNELS_IMPL_H
#define SERVICES_WORKER_KERNELS_IMPL_H

#include "services/worker/kernels.h"

void scalar_mask(uint8_t *row, size_t len, const uint8_t *mask);
void scalar_negate(uint8_t *row, size_t len, const uint8_t *mask);
void scalar_luma(uint8_t *out, const uint8_t *rgb, size_t pixels, unsigned int bytes);
/* weigh() from the given byte on. */
void scalar_weigh_from(size_t from, uint8_t *out, const uint8_t *const *src, const int16_t *weight,
	size_t taps, size_t len);
void scalar_sobel(
	uint8_t *out, const uint8_t *above, const uint8_t *row, const uint8_t *below, size_t len);

#endif
