/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows first, then columns, in one pass: a row that has been blurred goes into a ring that holds as many rows as the
 * filter is high, and the picture's own row is written when all that it needs is there.
 */
#include "services/worker/ops.h"

#include "lib/util.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RADIUS_MAX 30
#define HALF_MAX   (RADIUS_MAX * 3 / 2) /* three sigma */
#define TAPS_MAX   (2 * HALF_MAX + 1)

struct blur {
	struct picture *p;
	const struct kernels *k;
	size_t half, taps, row; /* row: bytes */
	int16_t weight[TAPS_MAX];
	uint8_t *padded, *ring;
};

void op_weights(const double *real, size_t taps, int16_t *w)
{
	double sum = 0;
	int left = 1 << WEIGHT_BITS;
	size_t largest = 0;

	for (size_t i = 0; i < taps; i++) {
		sum += real[i];
		if (real[i] > real[largest])
			largest = i;
	}
	for (size_t i = 0; i < taps; i++) {
		w[i] = (int16_t)(real[i] / sum * (1 << WEIGHT_BITS) + 0.5);
		left -= w[i];
	}
	w[largest] = (int16_t)(w[largest] + left); /* what rounding took or gave */
}

static void make_weights(struct blur *b, unsigned int radius)
{
	double real[TAPS_MAX], sigma = radius / 2.0;

	b->half = (radius * 3 + 1) / 2;
	b->taps = 2 * b->half + 1;
	for (size_t i = 0; i < b->taps; i++) {
		double x = ((double)i - (double)b->half) / sigma;

		real[i] = exp(-x * x / 2);
	}
	op_weights(real, b->taps, b->weight);
}

/* Row y, blurred along itself, into its place of the ring. */
static void blur_row(struct blur *b, size_t y)
{
	const uint8_t *from = b->p->data + b->row * y, *src[TAPS_MAX];
	unsigned int n = b->p->channels;
	size_t side = b->half * n;

	assert(b->taps >= 1 && n >= 1);
	memcpy(b->padded + side, from, b->row);
	for (size_t i = 0; i < side; i++) {
		b->padded[i] = from[i % n];
		b->padded[side + b->row + i] = from[b->row - n + i % n];
	}
	for (size_t i = 0; i < b->taps; i++)
		src[i] = b->padded + i * n;
	b->k->weigh(b->ring + y % b->taps * b->row, src, b->weight, b->taps, b->row);
}

static void blur_column(struct blur *b, size_t y)
{
	const uint8_t *src[TAPS_MAX];
	size_t last = b->p->height - 1;

	assert(b->taps >= 1);
	for (size_t i = 0; i < b->taps; i++) {
		size_t at = y + i < b->half ? 0 : y + i - b->half;

		src[i] = b->ring + (at > last ? last : at) % b->taps * b->row;
	}
	b->k->weigh(b->p->data + b->row * y, src, b->weight, b->taps, b->row);
}

int op_blur(struct picture *p, unsigned int radius, const struct kernels *k, struct err *err)
{
	_cleanup_free_ uint8_t *padded = NULL, *ring = NULL;
	struct blur b = {.p = p, .k = k, .row = picture_row_bytes(p)};
	size_t ready = 0;

	assert(p->channels >= 1 && p->channels <= 4 && p->width && p->height);
	make_weights(&b, radius > RADIUS_MAX ? RADIUS_MAX : radius);
	assert(b.taps >= 1 && b.row >= 1);
	padded = b.padded = malloc(b.row + 2 * b.half * p->channels);
	ring = b.ring = malloc(b.row * b.taps);
	if (!padded || !ring)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t y = 0; y < p->height; y++) {
		for (; ready < p->height && ready <= y + b.half; ready++)
			blur_row(&b, ready);
		blur_column(&b, y);
	}
	return 0;
}
