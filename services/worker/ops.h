/* SPDX-License-Identifier: Apache-2.0 */
/* The operations, one file each; each changes the picture in place. 0 or -ENOMEM. Any thread. */
#ifndef SERVICES_WORKER_OPS_H
#define SERVICES_WORKER_OPS_H

#include "services/worker/kernels.h"
#include "services/worker/picture.h"

/* Each colour sample v becomes 255 - v, alpha stays. */
void op_invert(struct picture *p, const struct kernels *k);
/* Rec. 601 luma; alpha stays. */
int op_grayscale(struct picture *p, const struct kernels *k, struct err *err);
/* To width x height, with a triangle (bilinear) filter as wide as the picture is shrunk. Alpha must be premultiplied. */
int op_resize(struct picture *p, uint32_t width, uint32_t height, const struct kernels *k,
	struct err *err);
/* Gaussian, sigma = radius / 2; the picture's edge goes on beyond it. Alpha must be premultiplied. */
int op_blur(struct picture *p, unsigned int radius, const struct kernels *k, struct err *err);
/* |x| + |y| of Sobel's operator on the luma, as a gray picture; the edge goes on beyond it. */
int op_edges(struct picture *p, const struct kernels *k, struct err *err);

/* Laid as an orientation of exif.h says that it is to be shown. */
int op_turn(struct picture *p, unsigned int turn, struct err *err);

/*
 * Integers for weights() that add up to 1 << WEIGHT_BITS: w[0..taps) from real ones that need not be normalised. Shared by
 * blur and resize.
 */
void op_weights(const double *real, size_t taps, int16_t *w);

#endif
