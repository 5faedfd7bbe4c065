/* SPDX-License-Identifier: Apache-2.0 */
#include "services/worker/kernels.h"

#include "services/worker/kernels_impl.h"

void scalar_mask(uint8_t *row, size_t len, const uint8_t *mask)
{
	for (size_t i = 0; i < len; i++)
		row[i] ^= mask[i % KERNEL_MASK_BYTES];
}

void scalar_negate(uint8_t *row, size_t len, const uint8_t *mask)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t m = mask[i % KERNEL_MASK_BYTES];

		row[i] = (uint8_t)((row[i] ^ m) - m);
	}
}

void scalar_luma(uint8_t *out, const uint8_t *rgb, size_t pixels, unsigned int bytes)
{
	for (size_t i = 0; i < pixels; i++, rgb += bytes)
		out[i] = (uint8_t)((rgb[0] * LUMA_R + rgb[1] * LUMA_G + rgb[2] * LUMA_B +
					   (1 << (LUMA_BITS - 1))) >>
			LUMA_BITS);
}

void scalar_weigh_from(size_t from, uint8_t *out, const uint8_t *const *src, const int16_t *weight,
	size_t taps, size_t len)
{
	for (size_t i = from; i < len; i++) {
		int sum = 1 << (WEIGHT_BITS - 1);

		for (size_t k = 0; k < taps; k++)
			sum += src[k][i] * weight[k];
		out[i] = (uint8_t)(sum >> WEIGHT_BITS);
	}
}

static void scalar_weigh(
	uint8_t *out, const uint8_t *const *src, const int16_t *weight, size_t taps, size_t len)
{
	scalar_weigh_from(0, out, src, weight, taps, len);
}

static int magnitude(int v)
{
	return v < 0 ? -v : v;
}

void scalar_sobel(
	uint8_t *out, const uint8_t *above, const uint8_t *row, const uint8_t *below, size_t len)
{
	const uint8_t *a = above, *r = row, *b = below;

	for (ptrdiff_t i = 0; i < (ptrdiff_t)len; i++) {
		int x = a[i + 1] + 2 * r[i + 1] + b[i + 1] - a[i - 1] - 2 * r[i - 1] - b[i - 1];
		int y = b[i - 1] + 2 * b[i] + b[i + 1] - a[i - 1] - 2 * a[i] - a[i + 1];
		int sum = magnitude(x) + magnitude(y);

		out[i] = (uint8_t)(sum > 255 ? 255 : sum);
	}
}

const struct kernels kernels_scalar = {.name = "scalar",
	.mask = scalar_mask,
	.negate = scalar_negate,
	.luma = scalar_luma,
	.weigh = scalar_weigh,
	.sobel = scalar_sobel};

/* The compiler's run time asks cpuid, and xgetbv whether the system keeps the wide registers. */
const struct kernels *kernels_best(void)
{
	return __builtin_cpu_supports("avx2") ? &kernels_avx2 : &kernels_sse2;
}
