/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner loops over bytes of pixels, three times: in plain C (the reference), with SSE2 (every x86-64 has it) and with AVX2
 * (when processor and system say so). All three give the same bytes; tests/unit/services/test_kernels.c holds them to it,
 * `./run bench pixels` says what each is worth.
 */
#ifndef SERVICES_WORKER_KERNELS_H
#define SERVICES_WORKER_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define KERNEL_MASK_BYTES 16
#define WEIGHT_BITS       14 /* weights of weigh() add up to 1 << 14, none is negative */
#define LUMA_BITS         15
#define LUMA_R            9792  /* Rec. 601: 0.298839, */
#define LUMA_G            19229 /* 0.586811, */
#define LUMA_B            3747  /* 0.114350 */

struct kernels {
	const char *name;
	/* row[i] ^= mask[i % 16] */
	void (*mask)(uint8_t *row, size_t len, const uint8_t *mask);
	/* As mask(), but the marked bytes change their sign: mask's bytes are 0 or 255. */
	void (*negate)(uint8_t *row, size_t len, const uint8_t *mask);
	/* Luma of pixels of 3 or 4 bytes (the fourth is left out); out may be rgb. */
	void (*luma)(uint8_t *out, const uint8_t *rgb, size_t pixels, unsigned int bytes);
	/* out[i] = sum of src[k][i] * weight[k], rounded; out is none of the sources. */
	void (*weigh)(uint8_t *out, const uint8_t *const *src, const int16_t *weight, size_t taps,
		size_t len);
	/* |x| + |y| of Sobel's operator, at most 255; each row has one more byte before and behind its len bytes. */
	void (*sobel)(uint8_t *out, const uint8_t *above, const uint8_t *row, const uint8_t *below,
		size_t len);
};

extern const struct kernels kernels_scalar, kernels_sse2, kernels_avx2;

/* The fastest that this machine runs. */
const struct kernels *kernels_best(void);

#endif
